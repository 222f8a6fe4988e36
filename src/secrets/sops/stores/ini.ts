import { isUtf8 } from 'node:buffer';

import { SottoError } from '../../../base/errors/index.ts';
import { flattenMetadata, unflattenMetadata } from '../flat.ts';
import { METADATA_KEY } from '../metadata.ts';
import { describeKind, entriesOf, entry, map, str, textOf, type SopsEntry, type SopsMap, type SopsTree } from '../tree.ts';
import { metadataNotFound, reservedTopLevelKey } from './common.ts';
import { flatValue } from './flat-values.ts';
import { parseIni, type IniKey, type IniSection } from './ini-read.ts';
import { formatIni } from './ini-write.ts';
import type { Store, StoreContext } from './store.ts';

type Item = SopsMap['items'][number];

/** Marks and blanks go from the first line only; a comment of several lines is one text. */
function commentItems(comment: string): Item[] {
  const text = comment.startsWith(';') ? comment.replace(/^[; ]+/, '') : comment.replace(/^[# ]+/, '');
  return comment === '' ? [] : [{ kind: 'comment', text }];
}

/** A section's comment is its first item; a key's comment comes after its key. */
function sectionTree({ comment, keys }: IniSection): SopsMap {
  return map([...commentItems(comment), ...keys.flatMap((key) => [entry(key.name, str(key.value)), ...commentItems(key.comment)])]);
}

function toTree(sections: readonly IniSection[]): SopsTree {
  return { branches: [map(sections.map((section) => entry(section.name, sectionTree(section))))] };
}

function toSections(tree: SopsTree, context: StoreContext): IniSection[] {
  return tree.branches.flatMap((branch) => entriesOf(branch).map((item) => toSection(item, context)));
}

function toSection({ key: name, value }: SopsEntry, { warn }: StoreContext): IniSection {
  if (value.kind !== 'map')
    throw new SottoError('SOPS_EMIT', `${name}: an INI file has sections with keys, but this is a ${describeKind(value)}`);
  const section: IniSection = { name, comment: '', keys: [] };
  let target: { comment: string } = section;
  for (const item of value.items) {
    if (item.kind === 'comment') {
      if (target.comment !== '') warn(`${name}: INI keeps one comment per key; an earlier one is lost`);
      target.comment = item.text;
      continue;
    }
    const key: IniKey = { name: item.key, value: textValue(item, name, warn), comment: '' };
    section.keys.push(key);
    target = key;
  }
  return section;
}

function textValue({ key, value }: SopsEntry, section: string, warn: (message: string) => void): string {
  const where = `${section}.${key}`;
  const bytes = flatValue(value, where, warn);
  if (!isUtf8(bytes)) throw new SottoError('SOPS_EMIT', `${where}: an INI file cannot hold bytes that are no UTF-8`);
  const text = textOf(bytes);
  if (/^(["']).*\1$|\\$/s.test(text))
    warn(`${where}: the value begins and ends with quotes or ends with a backslash, which INI does not keep`);
  return text;
}

/** Newlines of metadata are written as two characters; 3.13.0 and 3.13.1 wrote them as they are. */
function metadataSection(metadata: SopsMap): IniSection {
  const keys = flattenMetadata(metadata).map(([name, value]) => ({ name, value: value.replaceAll('\n', '\\n'), comment: '' }));
  return { name: METADATA_KEY, comment: '', keys };
}

const encoder = new TextEncoder();

/** `.ini`: sections of keys. Follows sops:stores/ini/store.go. */
export const iniStore: Store = {
  parsePlain: (bytes, context) => toTree(parseIni(bytes, context)),
  parseEncrypted: (bytes, context) => {
    const sections = parseIni(bytes, context);
    const [metadata, duplicate] = sections.filter((section) => section.name === METADATA_KEY);
    if (metadata === undefined) throw metadataNotFound(context);
    if (duplicate !== undefined) throw new SottoError('SOPS_METADATA_INVALID', 'Found duplicate sops entry');
    return {
      tree: toTree(sections.filter((section) => section !== metadata)),
      metadata: unflattenMetadata(metadata.keys.map((key) => [key.name, key.value.replaceAll('\\n', '\n')])),
    };
  },
  emitPlain: (tree, context) => encoder.encode(formatIni(toSections(tree, context))),
  emitEncrypted: (tree, metadata, context) => encoder.encode(formatIni([...toSections(tree, context), metadataSection(metadata)])),
  emitValue: (value, { warn }) => flatValue(value, 'the value', warn),
  reservedKey: reservedTopLevelKey,
};
