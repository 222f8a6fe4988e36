/** A value whose scalars are pieces of YAML text, so that their style is drawn too. */
export type Value = string | readonly Value[] | Fields;
/** The fields of a map in order. */
export interface Fields {
  readonly fields: readonly (readonly [key: string, value: Value])[];
}

export function fieldsOf(...fields: (readonly [string, Value])[]): Fields {
  return { fields };
}

/** The map with the first of equal keys. */
export function unique(fields: readonly (readonly [string, Value])[]): Fields {
  const seen = new Set<string>();
  return { fields: fields.filter(([key]) => !seen.has(key) && seen.add(key)) };
}

/** Block text of a map. `__` in a scalar stands for the indentation of its second line. */
export function mapText({ fields }: Fields, indent = 0): string {
  const pad = ' '.repeat(indent);
  return fields
    .map(([key, value]) => {
      if (typeof value === 'string') return `${pad}${key}: ${scalarText(value, indent)}\n`;
      if ('fields' in value) return value.fields.length === 0 ? `${pad}${key}: {}\n` : `${pad}${key}:\n${mapText(value, indent + 2)}`;
      return value.length === 0 ? `${pad}${key}: []\n` : `${pad}${key}:\n${listText(value, indent)}`;
    })
    .join('');
}

function listText(list: readonly Value[], indent: number): string {
  const pad = ' '.repeat(indent);
  return list
    .map((value) => {
      if (typeof value === 'string') return `${pad}- ${scalarText(value, indent)}\n`;
      if (!('fields' in value)) return `${pad}- []\n`;
      return value.fields.length === 0 ? `${pad}- {}\n` : `${pad}- ${mapText(value, indent + 2).slice(indent + 2)}`;
    })
    .join('');
}

function scalarText(text: string, indent: number): string {
  return text.replace('__', ' '.repeat(indent + 2));
}
