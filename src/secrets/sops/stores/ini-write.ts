import { DEFAULT_SECTION, trimSpace, type IniKey, type IniSection } from './ini-read.ts';

/** Writes INI as gopkg.in/ini.v1 v1.67 does: aligned equal signs, a blank line between sections. */
export function formatIni(sections: readonly IniSection[]): string {
  return sections.flatMap((section, index) => formatSection(section, index === 0)).join('\n');
}

/** The leading default section has no header, and writes nothing when it is empty. */
function formatSection({ name, comment, keys }: IniSection, isFirst: boolean): string[] {
  const hasHeader = !isFirst || name.toUpperCase() !== DEFAULT_SECTION;
  if (!hasHeader && keys.length === 0) return [];
  const width = Math.max(0, ...keys.map((key) => Buffer.byteLength(quoteKey(key.name))));
  const header = hasHeader ? `[${name}]\n` : '';
  return [`${formatComment(comment)}${header}${keys.map((key) => formatKey(key, width)).join('')}`];
}

function formatKey({ name, value, comment }: IniKey, width: number): string {
  const quoted = quoteKey(name);
  const padding = ' '.repeat(width - Buffer.byteLength(quoted));
  return `${formatComment(comment)}${quoted}${padding} = ${quoteValue(value)}\n`;
}

function quoteKey(name: string): string {
  if (/["=:]/.test(name)) return `\`${name}\``;
  return name.includes('`') ? `"""${name}"""` : name;
}

function quoteValue(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (/[#;]/.test(value)) return `\`${value}\``;
  return trimSpace(value) === value ? value : `"${value}"`;
}

function formatComment(comment: string): string {
  if (comment === '') return '';
  return comment
    .split('\n')
    .map((line) => (/^[#;]/.test(line) ? `${line.charAt(0)} ${trimSpace(line.slice(1))}\n` : `; ${line}\n`))
    .join('');
}
