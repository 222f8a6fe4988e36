/** What the tests of this room share: trees in memory, and SOPS with a key made on the spot. */
import { memoryTree, type Tree } from '../../base/files/index.ts';
import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity, parseAgeIdentities } from '../../secrets/keys/index.ts';
import { decrypt, encrypt, type SelectionRule, type SopsFormat } from '../../secrets/sops/index.ts';
import type { Decryptor, FleetBuild, FleetOptions, KustomizationSpec } from './types.ts';
import { buildFleet } from './fleet.ts';

export const tree = (files: Readonly<Record<string, string>>, directories: readonly string[] = []): Tree =>
  memoryTree(new Map(Object.entries(files)), directories);

const owner = { namespace: 'flux-system', name: 'apps' };

/** Builds the files with a spec whose path is the root. */
export function buildFiles(
  files: Readonly<Record<string, string>>,
  spec: KustomizationSpec = {},
  options: Partial<FleetOptions> = {},
): Promise<FleetBuild> {
  return buildFleet({ tree: tree(files), spec, owner, ...options });
}

/** A call of the decryptor. */
interface Opened {
  readonly file: string | undefined;
  readonly format: SopsFormat;
  readonly pristine: boolean;
}

export interface Vault {
  seal(text: string, format?: SopsFormat, selection?: SelectionRule): Promise<string>;
  readonly decryptor: Decryptor;
  /** Every call so far. */
  readonly opened: Opened[];
}

/** Encrypts with a fresh age key, and opens what it encrypted as the controller does. */
export async function newVault(): Promise<Vault> {
  const world = systemWorld();
  const identity = generateAgeIdentity(systemEntropy);
  const recipient = await ageRecipientOf(identity, world);
  const credentials = { age: { identities: parseAgeIdentities(identity.reveal(), 'test') } };
  const context = { world, entropy: systemEntropy };
  const opened: Opened[] = [];
  return {
    opened,
    seal: async (text, format = 'yaml', selection = {}) => {
      const bytes = await encrypt(new TextEncoder().encode(text), { ...context, format, groups: [[ageKey(recipient)]], selection });
      return new TextDecoder().decode(bytes);
    },
    decryptor: {
      decrypt: async ({ bytes, format, outputFormat, file, pristine }) => {
        opened.push({ file, format, pristine });
        const options = { ...context, credentials, format, ignoreMac: !pristine };
        return (await decrypt(bytes, { ...options, ...(outputFormat === undefined ? {} : { outputFormat }) })).bytes;
      },
    },
  };
}

/** A Secret as YAML. */
export function secretYaml(name: string, stringData: Readonly<Record<string, string>>): string {
  const lines = Object.entries(stringData).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  return ['apiVersion: v1', 'kind: Secret', 'metadata:', `  name: ${name}`, 'stringData:', ...lines, ''].join('\n');
}

export const configMap = (name: string, data: Readonly<Record<string, string>> = {}): string =>
  [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    `  name: ${name}`,
    'data:',
    ...Object.entries(data).map(([k, v]) => `  ${k}: ${v}`),
    '',
  ].join('\n');
