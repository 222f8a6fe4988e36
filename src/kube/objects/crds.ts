import { CRD_TEXTS } from './generated/crds.ts';
import { parseJson } from './json.ts';
import type { KubeObject } from './model.ts';
import { deepFreeze } from './values.ts';

let parsed: readonly KubeObject[] | undefined;

/** The CustomResourceDefinitions of `deploy/crds`, frozen; parsed when first asked for. */
export function sottoCrds(): readonly KubeObject[] {
  parsed ??= deepFreeze(CRD_TEXTS.map((text) => parseJson(text) as unknown as KubeObject));
  return parsed;
}
