import { SottoError } from '../../../base/errors/index.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Reads fields of a configuration file, checks their kind, and remembers what it did not know. */
export class ConfigReader {
  readonly warnings: string[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  error(where: string, problem: string): SottoError {
    return new SottoError('SOPS_CONFIG_INVALID', `${where}: ${problem}`, { at: { file: this.#file } });
  }

  warn(where: string, problem: string): void {
    this.warnings.push(`${where}: ${problem}`);
  }

  fields(value: unknown, where: string, known: readonly string[]): Fields {
    if (value === null || value === undefined) return {};
    if (typeof value !== 'object' || Array.isArray(value)) throw this.error(where, 'expected a map');
    for (const name of Object.keys(value)) if (!known.includes(name)) this.warn(where, `unknown field '${name}' has no effect`);
    return value as Fields;
  }

  list(fields: Fields, name: string, where: string): readonly unknown[] {
    const value = own(fields, name);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.error(`${where}.${name}`, 'expected a list');
    return value;
  }

  text(fields: Fields, name: string, where: string): string {
    const value = own(fields, name);
    if (value === undefined || value === null) return '';
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value.toString();
    throw this.error(`${where}.${name}`, 'expected a text');
  }

  flag(fields: Fields, name: string, where: string): boolean {
    const value = own(fields, name);
    if (value === undefined || value === null) return false;
    if (typeof value !== 'boolean') throw this.error(`${where}.${name}`, 'expected true or false');
    return value;
  }

  integer(fields: Fields, name: string, where: string): number | undefined {
    const value = own(fields, name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.error(`${where}.${name}`, 'expected an integer');
    return value;
  }

  /** A comma text, or a list of texts that may hold commas themselves; entries trimmed, empty ones dropped. */
  texts(fields: Fields, name: string, where: string): string[] {
    const value = own(fields, name);
    const parts = Array.isArray(value)
      ? value.map((part: unknown, index) => this.text({ part }, 'part', `${where}.${name}[${index}]`))
      : [this.text(fields, name, where)];
    return splitCommas(parts);
  }
}

export function splitCommas(parts: readonly string[]): string[] {
  return parts.flatMap((part) => part.split(',').map((piece) => piece.trim())).filter((piece) => piece !== '');
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
