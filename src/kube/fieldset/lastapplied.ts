import { parseJson, stringifyJson, type Json, type KubeObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { compare } from './compare.ts';
import { FieldSet } from './fieldset.ts';
import { untracked } from './update.ts';
import { fieldsOf } from './walk.ts';

/** Where client-side apply keeps the configuration that it applied last. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_ANNOTATIONS = 256 * 1024;

/** The fields of the last client-side apply that still have the value that it gave them. */
export function equalsLastApplied(schema: Schema, live: KubeObject): FieldSet {
  const annotation = live.metadata.annotations?.[LAST_APPLIED];
  const last = annotation === undefined ? undefined : readConfiguration(annotation);
  if (last === undefined) return FieldSet.empty;
  const changes = compare(schema, untracked(live), last);
  return fieldsOf(schema, last).difference(changes.modified).difference(changes.added);
}

function readConfiguration(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    // Somebody else wrote the annotation: then nothing is known about client-side apply.
    return undefined;
  }
}

/** Rewrites the annotation, where the object has one, to the configuration applied now; it goes when annotations get too large. */
export function withLastApplied(object: KubeObject, config: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  if (annotations === undefined || !Object.hasOwn(annotations, LAST_APPLIED)) return object;
  const { [LAST_APPLIED]: _, ...others } = annotations;
  const { [LAST_APPLIED]: __, ...configured } = config.metadata.annotations ?? {};
  const { annotations: ___, ...metadata } = config.metadata;
  const hasAnnotations = Object.keys(configured).length > 0;
  const text = `${stringifyJson({ ...config, metadata: hasAnnotations ? { ...metadata, annotations: configured } : metadata })}\n`;
  const updated = { ...others, [LAST_APPLIED]: text };
  const size = Object.entries(updated).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  return { ...object, metadata: { ...object.metadata, annotations: size > MAX_ANNOTATIONS ? others : updated } };
}
