import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ApiError, isJsonObject, type Json } from '../objects/index.ts';
import { decodeProtobuf } from './index.ts';

interface Case {
  readonly command: string;
  readonly protobuf: string;
  readonly expected: Json;
}

const cases = JSON.parse(readFileSync(new URL('fixtures/protobuf.json', import.meta.url), 'utf8')) as Case[];

/** kubectl's JSON and protobuf differ in which empty structs they write. */
function withoutEmpty(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).map(([key, item]) => [key, withoutEmpty(item)] as const);
  return Object.fromEntries(kept.filter(([, item]) => !isJsonObject(item) || Object.keys(item).length > 0));
}

/** A message field by field: `[number, bytes | text | number]`. */
type Field = readonly [number, Uint8Array | string | number | bigint];

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function message(...fields: Field[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint') return [...varint(BigInt(number) << 3n), ...varint(BigInt(value))];
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint((BigInt(number) << 3n) | 2n), ...varint(BigInt(bytes.length)), ...bytes];
    }),
  );
}

function envelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...message([1, message([1, apiVersion], [2, kind])], [2, raw], [3, ''], [4, ''])]);
}

function thrown(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('decodeProtobuf', () => {
  it.each(cases.filter((each) => each.expected !== null))('apiserver/ENC-02: $command', ({ protobuf, expected }) => {
    const decoded = decodeProtobuf(Buffer.from(protobuf, 'base64')) as unknown as Json;
    expect(withoutEmpty(decoded)).toEqual(withoutEmpty(expected));
  });

  const reviews: [command: string, spec: Json][] = [
    ['create token', { audiences: ['a'], boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' }, expirationSeconds: 600 }],
    ['auth can-i get', { nonResourceAttributes: { path: '/healthz', verb: 'get' } }],
    ['auth can-i --list', { namespace: 'n' }],
  ];
  it.each(reviews)('apiserver/ENC-02: reads the review that kubectl %s sends', (command, spec) => {
    const found = cases.find((each) => each.command.includes(command));
    expect(decodeProtobuf(Buffer.from(found?.protobuf ?? '', 'base64'))['spec']).toEqual(spec);
  });

  it('apiserver/ENC-02: an empty time is absent, times have seconds and micro times six decimals', () => {
    const metadata = message([1, 'x'], [8, message()], [9, message([1, 1_700_000_000])]);
    const spec = message([1, 'holder'], [2, 15], [4, message([1, 1_700_000_000], [2, 123_456_789])]);
    const lease = decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', message([1, metadata], [2, spec])));
    expect(lease).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x', deletionTimestamp: '2023-11-14T22:13:20Z' },
      spec: { holderIdentity: 'holder', leaseDurationSeconds: 15, renewTime: '2023-11-14T22:13:20.123456Z' },
    });
  });

  it('apiserver/ENC-02: map entries may lack key or value, negative and large integers survive, unknown fields are skipped', () => {
    const data = message([1, 'only-key']);
    const secret = decodeProtobuf(
      envelope('v1', 'Secret', message([1, message([1, 's'], [99, 'later'], [7, 2n ** 60n])], [2, data], [77, 5])),
    );
    expect(secret).toEqual({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', generation: 2n ** 60n }, data: { 'only-key': '' } });
    const priority = decodeProtobuf(envelope('scheduling.k8s.io/v1', 'PriorityClass', message([2, -10n])));
    expect(priority['value']).toBe(-10);
  });

  it('apiserver/ENC-02: a pointer to zero stays, a plain zero is absent', () => {
    const spec = message([1, 0], [5, 0]);
    expect(decodeProtobuf(envelope('apps/v1', 'Deployment', message([2, spec])))['spec']).toEqual({ replicas: 0 });
  });

  it('apiserver/ENC-02: keys of maps never reach a prototype', () => {
    const labels = message([1, '__proto__'], [2, 'p']);
    const { metadata } = decodeProtobuf(envelope('v1', 'ConfigMap', message([1, message([11, labels])])));
    expect(Object.entries(metadata.labels ?? {})).toEqual([['__proto__', 'p']]);
  });

  it('apiserver/ENC-02: reads DeleteOptions of any version', () => {
    expect(decodeProtobuf(envelope('apps/v1', 'DeleteOptions', message([4, 'Background'])))['propagationPolicy']).toBe('Background');
  });

  it('apiserver/ENC-02: a kind that is not known is a 415 that says what to do', () => {
    const error = thrown(() => decodeProtobuf(envelope('example.org/v1', 'Thing', message())));
    expect(error.status.code).toBe(415);
    expect(error.message).toContain('--dry-run=client -o yaml | kubectl apply -f -');
  });

  const broken: [string, Uint8Array][] = [
    ['nothing', new Uint8Array()],
    ['another magic', Uint8Array.from([1, 2, 3, 4])],
    ['a length beyond the end', Uint8Array.from([0x6b, 0x38, 0x73, 0, 0x0a, 0x7f])],
    ['an endless varint', Uint8Array.from([0x6b, 0x38, 0x73, 0, ...Array.from({ length: 12 }, () => 0xff)])],
    ['a text that is no UTF-8', envelope('v1', 'ConfigMap', message([1, message([1, Uint8Array.from([0xff])])]))],
    ['a number where a message belongs', envelope('v1', 'ConfigMap', message([1, 5]))],
  ];
  it.each(broken)('apiserver/ENC-02: %s is a 400', (_name, bytes) => {
    expect(thrown(() => decodeProtobuf(bytes)).status.code).toBe(400);
  });

  it('apiserver/ENC-02: bytes of any kind give an object or an ApiError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeProtobuf(envelope('apps/v1', 'Deployment', bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
