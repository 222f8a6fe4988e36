import { SottoError } from '../../base/errors/index.ts';
import { isJsonObject } from '../../kube/objects/index.ts';
import type { KustomizationSpec, VariableSource } from './types.ts';

const NAME = /^[_A-Za-z][_A-Za-z0-9]*$/;
const NAME_RULE = '^[_[:alpha:]][_[:alpha:][:digit:]]*$';

/**
 * The variables of `postBuild`: later references override earlier ones, inline values override both. Line feeds are
 * deleted from every value. Each reference is read once.
 *
 * @throws SottoError FLEET_SUBSTITUTE: `substitute from '<kind>/<name>' error: …`, `'<v>' var name is invalid, …`
 */
export async function loadVariables(
  postBuild: NonNullable<KustomizationSpec['postBuild']>,
  source: VariableSource | undefined,
): Promise<ReadonlyMap<string, string>> {
  const variables = new Map<string, string>();
  for (const reference of postBuild.substituteFrom ?? []) {
    for (const [name, value] of await readReference(reference, source)) variables.set(name, value);
  }
  for (const [name, value] of Object.entries(postBuild.substitute ?? {})) variables.set(name, withoutLineFeeds(value));
  for (const name of variables.keys()) {
    if (!NAME.test(name)) throw new SottoError('FLEET_SUBSTITUTE', `'${name}' var name is invalid, must match '${NAME_RULE}'`);
  }
  return variables;
}

type Reference = NonNullable<NonNullable<KustomizationSpec['postBuild']>['substituteFrom']>[number];

async function readReference(
  { kind, name, optional }: Reference,
  source: VariableSource | undefined,
): Promise<[name: string, value: string][]> {
  const fail = (reason: string, cause?: unknown): SottoError =>
    new SottoError('FLEET_SUBSTITUTE', `substitute from '${kind}/${name}' error: ${reason}`, {
      cause,
      retry: cause instanceof SottoError && cause.retry,
    });
  let object;
  try {
    object = await source?.({ kind, name });
  } catch (error) {
    throw fail(error instanceof SottoError ? error.message : 'it cannot be read', error);
  }
  if (object === undefined) {
    if (optional === true) return [];
    throw fail(`${kind.toLowerCase()}s "${name}" not found`);
  }
  const data = isJsonObject(object['data']) ? object['data'] : {};
  return Object.entries(data).map(([key, value]) => [key, withoutLineFeeds(decode(kind, typeof value === 'string' ? value : ''))]);
}

function decode(kind: string, value: string): string {
  return kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
}

function withoutLineFeeds(value: string): string {
  return value.replaceAll('\n', '');
}
