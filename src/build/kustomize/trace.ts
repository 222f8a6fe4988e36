import { stringifyJson, type Json } from '../../kube/objects/index.ts';
import { toJson } from '../../text/yaml/index.ts';
import type { Resource } from './resource.ts';
import { formatId } from './resourceid.ts';
import type { FieldSource } from './types.ts';

interface Field {
  readonly value: string;
  readonly source: FieldSource;
}

/** Remembers for every field of every object what set it last, by comparing the objects before and after each step. */
export class Trace {
  readonly #known = new Map<Resource, ReadonlyMap<string, Field>>();

  /** What the objects are now is the work of `source`, as far as it changed. */
  note(resources: readonly Resource[], source: FieldSource): void {
    for (const resource of resources) {
      if (resource.deleted) continue;
      const before = this.#known.get(resource) ?? this.#sameObject(resource);
      const now = new Map<string, Field>();
      for (const [path, value] of leavesOf(toJson(resource.root, { profile: 'goYaml3' }), '')) {
        const old = before?.get(path);
        now.set(path, old?.value === value ? old : { value, source });
      }
      this.#known.set(resource, now);
    }
  }

  fieldsOf(resource: Resource): ReadonlyMap<string, FieldSource> {
    return new Map([...(this.#known.get(resource) ?? [])].map(([path, { source }]) => [path, source]));
  }

  /** A generator that merges puts a new object in the place of the old one. */
  #sameObject(resource: Resource): ReadonlyMap<string, Field> | undefined {
    if (resource.behavior !== 'merge') return undefined;
    const id = formatId(resource.id);
    return [...this.#known].findLast(([known]) => formatId(known.id) === id)?.[1];
  }
}

/** Every value that holds no other, by its path; list elements go by their name where they have one. */
function* leavesOf(value: Json, path: string): Generator<[path: string, value: string]> {
  if (Array.isArray(value) && value.length > 0) {
    for (const [index, element] of value.entries()) yield* leavesOf(element, `${path}[${keyOf(element, index)}]`);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, element] of Object.entries(value)) yield* leavesOf(element, path === '' ? partOf(key) : `${path}.${partOf(key)}`);
  } else {
    yield [path, stringifyJson(value)];
  }
}

function keyOf(element: Json, index: number): string {
  const named = typeof element === 'object' && element !== null && !Array.isArray(element) && Object.hasOwn(element, 'name');
  const name = named ? (element as { readonly name: Json }).name : undefined;
  return typeof name === 'string' ? `name=${name}` : String(index);
}

/** A key with dots stands in brackets. */
function partOf(key: string): string {
  return key.includes('.') ? `[${key}]` : key;
}
