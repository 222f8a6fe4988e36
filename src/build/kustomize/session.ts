import { formatPosition, SottoError } from '../../base/errors/index.ts';
import type { YamlNode } from '../../text/yaml/index.ts';
import { schemaOfKind, type SchemaSource } from './mergeschema.ts';
import type { Trace } from './trace.ts';
import type { BuildOptions, BuildWarning } from './types.ts';

/** Far beyond any honest build: directories entered (one can be entered many times), and values copied by patches. */
const MAX_DIRECTORIES = 20_000;
const MAX_COPIED = 5_000_000;

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
  #entered = 0;
  #copied = 0;

  /** Set when the build is to be explained. */
  readonly trace: Trace | undefined;
  readonly #onWarning: BuildOptions['warn'];

  constructor({ keepBuiltinSchema = false, warn }: Pick<BuildOptions, 'keepBuiltinSchema' | 'warn'> = {}, trace?: Trace) {
    this.keepsBuiltinSchema = keepBuiltinSchema;
    this.#onWarning = warn;
    this.trace = trace;
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
    this.#onWarning?.(warning);
  };

  /** Runs the build of a directory. When it fails, the directory stays noted for the message. */
  within<T>(directory: string, run: () => T): T {
    this.#entered++;
    if (this.#entered > MAX_DIRECTORIES)
      throw new SottoError('KUSTOMIZE_LIMIT', `the build enters more than ${MAX_DIRECTORIES} directories`);
    this.#directories.push(directory);
    const result = run();
    this.#directories.pop();
    return result;
  }

  /**
   * Counts values that a patch or replacement copies, which can double an object again and again.
   *
   * @throws SottoError KUSTOMIZE_LIMIT
   */
  readonly countCopied = (values: number): void => {
    this.#copied += values;
    if (this.#copied > MAX_COPIED) throw new SottoError('KUSTOMIZE_LIMIT', `patches and replacements copy more than ${MAX_COPIED} values`);
  };

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
