/** The dialect that decides what an untagged plain scalar is. */
export type YamlProfile = 'goYaml3' | 'goYaml2' | 'yaml11';

/** Where a node starts in its file; both count from 1. */
export interface YamlPosition {
  readonly line: number;
  readonly column: number;
}

interface NodeBase extends YamlPosition {
  /** Comment lines above the node, each without its `#`. */
  comments?: string[];
  /** A comment behind the node on its line, without its `#`. */
  inlineComment?: string;
  /** On a collection: comment lines after its last item that belong to it by their indentation. */
  footComments?: string[];
}

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

/** `!!float` with an integral value stays apart from `!!int`: SOPS and kustomize print them differently. */
export interface YamlScalar extends NodeBase {
  kind: 'scalar';
  tag: '!!str' | '!!int' | '!!float' | '!!bool' | '!!null' | '!!timestamp' | '!!binary' | '!!merge' | (string & {});
  style: ScalarStyle;
  /** The text after unescaping and unfolding, before typing. */
  text: string;
}

export interface YamlMapItem {
  key: YamlNode;
  value: YamlNode;
}

export interface YamlMap extends NodeBase {
  kind: 'map';
  tag: string;
  flow: boolean;
  items: YamlMapItem[];
}

export interface YamlSequence extends NodeBase {
  kind: 'sequence';
  tag: string;
  flow: boolean;
  items: YamlNode[];
}

/** Aliases are expanded while parsing, within a limit; merge keys stay as they are. */
export type YamlNode = YamlScalar | YamlMap | YamlSequence;

export interface YamlDocument {
  /** Undefined for an empty document. */
  readonly root: YamlNode | undefined;
  /** Line of the file on which the document starts, from 1. */
  readonly line: number;
  /** Comments after the last node. */
  readonly trailingComments: readonly string[];
}

export interface ParseOptions {
  readonly profile: YamlProfile;
  /** For error positions. */
  readonly file?: string;
  /** Duplicate keys: an error with both lines (default), or the last one wins. */
  readonly duplicateKeys?: 'error' | 'last';
}

/** A JSON value, structurally that of kube/objects. Integers beyond 2^53 are bigint. */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | { [key: string]: YamlValue };
