import { SottoError } from '../../base/errors/index.ts';
import { flatValue } from './stores/flat-values.ts';
import { textOf, type SopsTree } from './tree.ts';

/**
 * The first document as environment variables: its top-level keys, values as dotenv files have them.
 *
 * @throws SottoError SOPS_ENVIRONMENT for maps and lists, keys with `=`, and NUL in a key or value; names the key only
 */
export function environmentOf(tree: SopsTree, warn: (message: string) => void): Readonly<Record<string, string>> {
  const variables = new Map<string, string>();
  for (const item of tree.branches[0]?.items ?? []) {
    if (item.kind === 'comment') continue;
    const { key, value } = item;
    if (value.kind === 'map' || value.kind === 'list') throw unfit(`cannot use complex value in environment; offending key ${key}`);
    if (key.includes('=')) throw unfit(`cannot use keys with '=' in environment: ${key}`);
    const text = textOf(flatValue(value, key, warn));
    if (key.includes('\0') || text.includes('\0'))
      throw unfit(`cannot use a NUL byte in environment; offending key ${JSON.stringify(key)}`);
    variables.set(key, text);
  }
  return Object.fromEntries(variables);
}

function unfit(problem: string): SottoError {
  return new SottoError('SOPS_ENVIRONMENT', problem);
}
