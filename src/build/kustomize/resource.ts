import type { YamlMap } from '../../text/yaml/index.ts';
import type { GroupVersionKind } from '../../kube/objects/index.ts';
import { gvkFrom } from './gvk.ts';
import { fieldOf, lookup, mapAt, newString, removeField, setField, stringMap, textOf, textsOf } from './node.ts';
import type { Origin } from './origin.ts';
import type { ResourceId } from './resourceid.ts';
import { effectiveNamespace } from './scope.ts';

/** A name that an object had earlier in the build. Group and version are always the current ones. */
export interface PreviousName {
  readonly name: string;
  /** The effective namespace. */
  readonly namespace: string;
  readonly kind: string;
}

/** Where an object was read or generated. */
export interface ResourceSource {
  readonly file: string;
  readonly line?: number;
  readonly generator?: string;
}

export type Behavior = 'unspecified' | 'create' | 'merge' | 'replace';

/**
 * An object on its way through a build: its tree, the names it had, and what upstream keeps in annotations
 * under internal.config.kubernetes.io.
 */
export class Resource {
  root: YamlMap;
  source: ResourceSource;
  readonly previous: PreviousName[] = [];
  readonly prefixes: string[] = [];
  readonly suffixes: string[] = [];
  needsHash = false;
  behavior: Behavior = 'unspecified';
  /** Set by a strategic merge patch that deletes the object. */
  deleted = false;
  /** Names of the vars that read this object. */
  readonly variables: string[] = [];
  /** What buildMetadata prints. */
  origin: Origin | undefined;
  readonly transformations: Origin[] = [];

  constructor(root: YamlMap, source: ResourceSource) {
    this.root = root;
    this.source = source;
  }

  get apiVersion(): string {
    return textOf(fieldOf(this.root, 'apiVersion'));
  }

  get kind(): string {
    return textOf(fieldOf(this.root, 'kind'));
  }

  get name(): string {
    return textOf(lookup(this.root, 'metadata', 'name'));
  }

  get namespace(): string {
    return textOf(lookup(this.root, 'metadata', 'namespace'));
  }

  get gvk(): GroupVersionKind {
    return gvkFrom(this.apiVersion, this.kind);
  }

  get id(): ResourceId {
    return { ...this.gvk, name: this.name, namespace: this.namespace };
  }

  get previousIds(): ResourceId[] {
    const { group, version } = this.gvk;
    return this.previous.map(({ name, namespace, kind }) => ({ group, version, kind, name, namespace }));
  }

  /** True as soon as the build has noted anything: upstream keeps its notes in annotations, which then exist. */
  get hasNotes(): boolean {
    return (
      this.previous.length > 0 || this.prefixes.length > 0 || this.suffixes.length > 0 || this.isGenerated || this.origin !== undefined
    );
  }

  get isGenerated(): boolean {
    return this.source.generator !== undefined;
  }

  /** The first id the object had. */
  get originalId(): ResourceId {
    return this.previousIds[0] ?? this.id;
  }

  /** All ids, oldest first, the current one last. */
  get allIds(): ResourceId[] {
    return [...this.previousIds, this.id];
  }

  /** Remembers the current name before it changes. */
  rememberName(): void {
    const { id } = this;
    this.previous.push({ name: id.name, namespace: effectiveNamespace(id, id.namespace), kind: id.kind });
  }

  set name(name: string) {
    const metadata = mapAt(this.root, 'metadata');
    if (metadata !== undefined) writeMetadata(metadata, 'name', name);
  }

  /** '' removes the field. */
  set namespace(namespace: string) {
    const metadata = mapAt(this.root, 'metadata');
    if (metadata === undefined) return;
    if (namespace === '') removeField(metadata, 'namespace');
    else writeMetadata(metadata, 'namespace', namespace);
  }

  get labels(): Map<string, string> {
    return textsOf(lookup(this.root, 'metadata', 'labels'));
  }

  get annotations(): Map<string, string> {
    return textsOf(lookup(this.root, 'metadata', 'annotations'));
  }

  /** Forgets everything but the object itself. */
  forget(): void {
    for (const list of [this.previous, this.prefixes, this.suffixes]) list.length = 0;
    this.needsHash = false;
    this.behavior = 'unspecified';
    this.forgetOrigin();
  }

  forgetOrigin(): void {
    this.origin = undefined;
    this.transformations.length = 0;
  }

  /** Replaces all labels or annotations by strings; none removes the field. */
  writeTexts(field: 'labels' | 'annotations', entries: ReadonlyMap<string, string>): void {
    const metadata = mapAt(this.root, 'metadata');
    if (metadata === undefined) return;
    removeField(metadata, field);
    if (entries.size > 0) setField(metadata, field, stringMap(entries));
  }
}

function writeMetadata(metadata: YamlMap, field: string, text: string): void {
  setField(metadata, field, newString(text));
}
