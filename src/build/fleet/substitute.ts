import { SottoError } from '../../base/errors/index.ts';
import { isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { expand } from '../../text/envsubst/index.ts';
import { parseYaml, stringifyYaml } from '../../text/yaml/index.ts';
import { buildName, prefixed } from './errors.ts';

const OPT_OUT = 'kustomize.toolkit.fluxcd.io/substitute';

/** True when a label or annotation keeps the object out of substitution. The value is compared exactly. */
export function optsOutOfSubstitution({ metadata }: KubeObject): boolean {
  return metadata.labels?.[OPT_OUT] === 'disabled' || metadata.annotations?.[OPT_OUT] === 'disabled';
}

/**
 * Substitutes variables in an object. All of its YAML text goes through the expander, keys included, and is read again
 * as YAML 1.1: an unquoted result `yes` is a boolean, `0755` the number 493.
 *
 * Follows fluxcd/pkg kustomize/kustomize_varsub.go.
 *
 * @throws SottoError FLEET_SUBSTITUTE: `envsubst error: variable substitution failed: …`, with the path of the field
 *   where it is known
 */
export function substitute(object: KubeObject, variables: ReadonlyMap<string, string>, strict: boolean): KubeObject {
  const text = stringifyYaml(object);
  // What the writer writes is read back as the same value, so only expansion can change anything.
  if (!text.includes('$')) return object;
  let expanded: string;
  try {
    expanded = expand(text, (name) => variables.get(name), { strict });
  } catch (error) {
    throw withField(prefixed('FLEET_SUBSTITUTE', 'envsubst error: variable substitution failed', error), object, variables, strict);
  }
  try {
    return reread(expanded);
  } catch (error) {
    throw prefixed('FLEET_SUBSTITUTE', 'envsubst error: the result is no valid YAML', error);
  }
}

function reread(text: string): KubeObject {
  const value = parseYaml(text, { profile: 'yaml11', duplicateKeys: 'last' })[0]?.value;
  if (!isJsonObject(value)) throw new SottoError('FLEET_SUBSTITUTE', 'the result is no mapping');
  return value as unknown as KubeObject;
}

/** The line of the error is one of the serialised object, which nobody sees: the field's path replaces it. */
function withField(error: Error, object: KubeObject, variables: ReadonlyMap<string, string>, strict: boolean): Error {
  if (!(error instanceof SottoError)) return error;
  const path = failingField(object, (text) => {
    expand(text, (name) => variables.get(name), { strict });
  });
  const message = path === undefined ? error.message : `${error.message} (in ${path})`;
  return new SottoError(error.code, message, { cause: error.cause, ...(error.hint === undefined ? {} : { hint: error.hint }) });
}

function failingField(value: unknown, check: (text: string) => void, path = ''): string | undefined {
  if (typeof value === 'string') return fails(value, check) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const step = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = fails(key, check) ? step : failingField(item, check, step);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fails(text: string, check: (text: string) => void): boolean {
  try {
    check(text);
    return false;
  } catch {
    return true; // the error itself was reported for the whole text
  }
}

/** `stringData` keys of a Secret whose text substitution changed though no one need have meant it: `$` is ordinary in secrets. */
export function changedSecretKeys(before: KubeObject, after: KubeObject): string[] {
  const [old, now] = [before['stringData'], after['stringData']];
  if (before.kind !== 'Secret' || !isJsonObject(old)) return [];
  return Object.keys(old).filter((key) => {
    const text = old[key];
    return typeof text === 'string' && text.includes('$') && (!isJsonObject(now) || now[key] !== text);
  });
}

/** The error of an object for the pipeline. */
export function substitutionError(object: KubeObject, error: unknown): Error {
  return prefixed('FLEET_SUBSTITUTE', `post build failed for '${buildName(object)}'`, error);
}
