import { beforeAll, describe, expect, it } from 'vitest';

import { keylessDecryptor } from './index.ts';
import { buildFiles, newVault, secretYaml, type Vault } from './testing.ts';
import type { SopsFormat } from '../../secrets/sops/index.ts';

let vault: Vault;
beforeAll(async () => {
  vault = await newVault();
});
const decryptor = keylessDecryptor();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function open(text: string, format: SopsFormat, outputFormat: SopsFormat = format): Promise<string> {
  const bytes = new TextEncoder().encode(await vault.seal(text, format));
  return Buffer.from(await decryptor.decrypt({ bytes, format, outputFormat, pristine: true })).toString();
}

describe('keylessDecryptor', () => {
  it.each([
    ['yaml', 'a: x\nb: [1, true]\nc_unencrypted: y\n', 'a: "**SOPS**"'],
    ['dotenv', 'A=x\nB=y\n', 'A=**SOPS**\nB=**SOPS**\n'],
    ['binary', 'bytes', '**SOPS**'],
  ] as const)('keeps the structure of %s', async (format, text, expected) => {
    const opened = await open(text, format);
    expect(opened).toContain(expected.replaceAll('"', opened.includes('"**SOPS**"') ? '"' : "'"));
    expect(opened).not.toContain('sops');
  });

  it('keeps types, and what was plain', async () => {
    expect(JSON.parse(await open('{"a": "x", "b": [1, 1.5, true], "c_unencrypted": "y", "n": null}', 'json'))).toEqual({
      a: '**SOPS**',
      b: [0, 0, false],
      c_unencrypted: 'y',
      n: null,
    });
    expect(JSON.parse(await open('a: x\nb: 1\n', 'yaml', 'json'))).toEqual({ a: '**SOPS**', b: 0 });
  });

  it('CLI-09: masks Secrets as flux build does', async () => {
    const docker = `apiVersion: v1\nkind: Secret\nmetadata: {name: d}\ntype: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: ${base64('{}')}}\n`;
    const rule = { encryptedRegex: '^(data|stringData)$' };
    const files = {
      'a.yaml': await vault.seal(secretYaml('a', { k: 'v' }), 'yaml', rule),
      'b.yaml': await vault.seal(docker, 'yaml', rule),
      'c.yaml': await vault.seal(secretYaml('c', { k: 'v' }).replace('stringData', 'data').replace('"v"', base64('v')), 'yaml', rule),
    };
    const { objects } = await buildFiles(files, { targetNamespace: 'x' }, { decryptor });
    expect(objects.map(({ object }) => object['stringData'] ?? object['data'])).toEqual([
      { k: '**SOPS**' },
      { '.dockerconfigjson': base64('{"mask":"**SOPS**"}') },
      { k: base64('**SOPS**') },
    ]);
    expect(objects.every(({ object }) => object['sops'] === undefined)).toBe(true);
  });
});
