import { isJsonObject, type JsonObject } from '../objects/index.ts';
import { elementText, parseElement, sortElements, type PathElement } from './element.ts';

/**
 * An immutable set of field paths. A path is a member or only on the way to members; both live in one tree
 * whose edges are {@link PathElement}s. No operation changes its operands.
 */
export class FieldSet {
  /** True when the path that leads here is a member. */
  readonly member: boolean;
  readonly children: ReadonlyMap<PathElement, FieldSet>;

  constructor(member: boolean, children: ReadonlyMap<PathElement, FieldSet>) {
    this.member = member;
    this.children = children;
  }

  static readonly empty = new FieldSet(false, new Map());
  /** Only the path itself. */
  static readonly leaf = new FieldSet(true, new Map());

  static of(...paths: readonly (readonly PathElement[])[]): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  isEmpty(): boolean {
    return !this.member && this.children.size === 0;
  }

  has(path: readonly PathElement[]): boolean {
    return path.reduce<FieldSet | undefined>((node, element) => node?.children.get(element), this)?.member === true;
  }

  union(other: FieldSet): FieldSet {
    if (other === this || other.isEmpty()) return this;
    if (this.isEmpty()) return other;
    const children = new Map(this.children);
    for (const [element, theirs] of other.children) {
      const ours = children.get(element);
      children.set(element, ours === undefined ? theirs : ours.union(theirs));
    }
    return new FieldSet(this.member || other.member, children);
  }

  intersection(other: FieldSet): FieldSet {
    const [few, many] = this.children.size <= other.children.size ? [this, other] : [other, this];
    const children = new Map<PathElement, FieldSet>();
    for (const [element, one] of few.children) {
      const both = many.children.get(element)?.intersection(one) ?? FieldSet.empty;
      if (!both.isEmpty()) children.set(element, both);
    }
    return new FieldSet(this.member && other.member, children);
  }

  /** The members that `other` lacks; members below one of `other`'s stay. */
  difference(other: FieldSet): FieldSet {
    return this.without(other, this.member && !other.member, (ours, theirs) => ours.difference(theirs));
  }

  /** The members that are neither in `other` nor below one of its members. */
  recursiveDifference(other: FieldSet): FieldSet {
    return other.member ? FieldSet.empty : this.without(other, this.member, (ours, theirs) => ours.recursiveDifference(theirs));
  }

  /** Looks only where `other` has something, and gives the same set when nothing is taken away. */
  private without(other: FieldSet, member: boolean, subtract: (ours: FieldSet, theirs: FieldSet) => FieldSet): FieldSet {
    let children: Map<PathElement, FieldSet> | undefined;
    for (const [element, theirs] of other.children) {
      const ours = this.children.get(element);
      const rest = ours === undefined ? undefined : subtract(ours, theirs);
      if (rest === undefined || rest === ours) continue;
      children ??= new Map(this.children);
      if (rest.isEmpty()) children.delete(element);
      else children.set(element, rest);
    }
    return children === undefined && member === this.member ? this : new FieldSet(member, children ?? this.children);
  }

  equals(other: FieldSet): boolean {
    if (this === other) return true;
    if (this.member !== other.member || this.children.size !== other.children.size) return false;
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      if (theirs === undefined || !ours.equals(theirs)) return false;
    }
    return true;
  }

  /** All members in the order of FieldsV1, a parent before what is below it. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    if (this.member && prefix.length > 0) yield prefix;
    for (const element of this.elements()) yield* this.children.get(element)?.paths([...prefix, element]) ?? [];
  }

  /** The steps below this node, in the order of FieldsV1. */
  elements(): readonly PathElement[] {
    return sortElements(this.children.keys());
  }

  /** The tree as a `fieldsV1` value: `.` for a member that has children, then fields, keys, values. */
  encode(): JsonObject {
    const fields: JsonObject = {};
    for (const element of this.elements()) fields[element] = this.children.get(element)?.encodeNode() ?? {};
    return fields;
  }

  private encodeNode(): JsonObject {
    if (this.children.size === 0) return {};
    return this.member && this.children.size > 0 ? { '.': {}, ...this.encode() } : this.encode();
  }

  /** Reads a `fieldsV1` value; undefined when it is not one. */
  static decode(fields: unknown): FieldSet | undefined {
    const root = decodeNode(fields, 0);
    return root === undefined ? undefined : new FieldSet(false, root.children);
  }
}

const MAX_DEPTH = 500;

function decodeNode(fields: unknown, depth: number): FieldSet | undefined {
  if (!isJsonObject(fields) || depth > MAX_DEPTH) return undefined;
  const children = new Map<PathElement, FieldSet>();
  let member = false;
  for (const [text, below] of Object.entries(fields)) {
    if (text === '.') {
      member = true;
      continue;
    }
    const element = parseElement(text);
    const child = isLeaf(below) ? FieldSet.leaf : decodeNode(below, depth + 1);
    if (element === undefined || child === undefined) return undefined;
    children.set(element, child.children.size === 0 ? FieldSet.leaf : child);
  }
  return new FieldSet(member, children);
}

function isLeaf(fields: unknown): boolean {
  return isJsonObject(fields) && Object.keys(fields).length === 0;
}

/** How error messages write a path: `.spec.containers[name="x"].image`. */
export function pathText(path: readonly PathElement[]): string {
  return path.map(elementText).join('');
}

/** Collects paths one by one; {@link FieldSetBuilder.build} gives the set. */
export class FieldSetBuilder {
  #member = false;
  readonly #children = new Map<PathElement, FieldSetBuilder>();

  insert(path: readonly PathElement[]): void {
    path.reduce<FieldSetBuilder>((node, element) => node.child(element), this).mark();
  }

  /** Makes the path that leads here a member. */
  mark(): void {
    this.#member = true;
  }

  /** The builder one step below. */
  child(element: PathElement): FieldSetBuilder {
    const known = this.#children.get(element);
    if (known !== undefined) return known;
    const fresh = new FieldSetBuilder();
    this.#children.set(element, fresh);
    return fresh;
  }

  build(): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const [element, builder] of this.#children) {
      const child = builder.build();
      if (!child.isEmpty()) children.set(element, child);
    }
    return new FieldSet(this.#member, children);
  }
}
