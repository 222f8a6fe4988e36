import { describe, expect, it } from 'vitest';

import { apiErrors, type KubeObject } from '../objects/index.ts';
import { maskedMessage, maskedPair } from './mask.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = (data: Record<string, unknown>): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data });

describe('masking', () => {
  it('flux/SSA-15: values of a Secret show which side they are from only where they differ', () => {
    const { before, after } = maskedPair(
      secret({ same: base64('one'), other: base64('two'), gone: 'eA==' }),
      secret({ same: base64('one'), other: base64('three'), added: 'eQ==' }),
    );
    expect(before?.['data']).toEqual({ same: '***', other: '*** (before)', gone: '***' });
    expect(after['data']).toEqual({ same: '***', other: '*** (after)', added: '***' });
  });

  it('flux/SSA-15: the copy that kubectl keeps in an annotation is masked too', () => {
    const object = {
      ...secret({}),
      metadata: { name: 's', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"a":"aHVudGVyMg=="}}' } },
    };
    expect(JSON.stringify(maskedPair(object, object))).not.toContain('aHVudGVyMg');
  });

  const value = 'hunter2-hunter2';
  const errors: [string, unknown][] = [
    [
      'an invalid value that the server quotes',
      apiErrors.invalid({ group: '', kind: 'Secret' }, 's', [{ field: 'data[password]', message: `Invalid value: "${value}": bad` }]),
    ],
    ['a decoding error that quotes the document', apiErrors.badRequest(`cannot unmarshal "${value}" into Go struct field`)],
    ['an error of a webhook', apiErrors.forbidden({ group: '', plural: 'secrets' }, 's', `denied because of ${base64(value)}`)],
    ['an error of a library', new Error(`unexpected ${value}`)],
    ['a plain failure', apiErrors.plain(`oops ${value}`)],
    ['an internal error', apiErrors.internal(`oops ${value}`)],
  ];

  it.each(errors)('flux/SSA-15: %s does not show the value', (_, error) => {
    const message = maskedMessage(error, secret({ password: base64(value) }));
    expect(message).not.toContain(value);
    expect(message).not.toContain(base64(value));
    expect(message).not.toBe('');
  });

  it('flux/SSA-15: a refused Secret still says which field is wrong, and other kinds say everything', () => {
    const [[, error]] = errors as [[string, unknown]];
    expect(maskedMessage(error, secret({}))).toBe('data[password]: ***');
    expect(maskedMessage(error, { ...secret({}), kind: 'ConfigMap' })).toContain('bad');
  });
});
