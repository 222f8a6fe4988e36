import { formatPosition, SottoError } from '../../base/errors/index.ts';
import type { YamlNode } from '../../text/yaml/index.ts';
import { schemaOfKind, type SchemaSource } from './mergeschema.ts';
import type { BuildWarning } from './types.ts';

/** What one build collects on its way: warnings, and the directories it is in. */
export class Session {
  readonly warnings: BuildWarning[] = [];
  /** A schema of the user's is laid over the built-in one, not put in its place. */
  readonly keepsBuiltinSchema: boolean;
  /** Scalars that replacements made: they have no type of their own, whatever text they get. */
  readonly untyped = new WeakSet<YamlNode>();
  #schemas: SchemaSource | undefined;
  readonly #directories: string[] = [];
  readonly #seen = new Set<string>();

  constructor(keepsBuiltinSchema = false) {
    this.keepsBuiltinSchema = keepsBuiltinSchema;
  }

  /** The schemas that merges go by. */
  get schemas(): SchemaSource {
    return this.#schemas ?? schemaOfKind;
  }

  get hasSchema(): boolean {
    return this.#schemas !== undefined;
  }

  useSchema(schemas: SchemaSource): void {
    this.#schemas = schemas;
  }

  readonly warn = (warning: BuildWarning): void => {
    const identity = `${formatPosition(warning)} ${warning.message}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.warnings.push(warning);
  };

  /** Runs the build of a directory. When it fails, the directory stays noted for the message. */
  within<T>(directory: string, run: () => T): T {
    this.#directories.push(directory);
    const result = run();
    this.#directories.pop();
    return result;
  }

  /** The error of a failed build, with the directories that led there. */
  failure(error: unknown): SottoError {
    const known =
      error instanceof SottoError
        ? error
        : new SottoError('KUSTOMIZE_INTERNAL', 'the build failed for an internal reason', { cause: error });
    const [first, ...others] = this.#directories.toReversed();
    if (first === undefined || others.length === 0) return known;
    const { hint, at, retry, cause } = known;
    return new SottoError(known.code, `${known.message} (in '${first}', included from ${others.map((name) => `'${name}'`).join(', ')})`, {
      ...(hint === undefined ? {} : { hint }),
      ...(at === undefined ? {} : { at }),
      ...(cause === undefined ? {} : { cause }),
      retry,
    });
  }
}
