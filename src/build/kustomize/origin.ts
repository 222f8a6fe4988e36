import { emitNodes, fromJson } from '../../text/yaml/index.ts';

/** Where an object or a transformer comes from, as `buildMetadata` prints it (k:api/resource/origin.go). */
export interface Origin {
  readonly path?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';
export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** The origin of an object made by a builtin generator or changed by a builtin transformer. */
export function builtinOrigin(configuredIn: string, kind: string): Origin {
  return { configuredIn, configuredBy: { apiVersion: 'builtin', kind } };
}

/** An origin as YAML text, keys in upstream's order. */
export function originText(origin: Origin): string {
  return linesOf(origin).join('\n') + '\n';
}

/** A list of origins as YAML text. */
export function transformationsText(origins: readonly Origin[]): string {
  return origins
    .map((origin) =>
      linesOf(origin)
        .map((line, index) => `${index === 0 ? '- ' : '  '}${line}\n`)
        .join(''),
    )
    .join('');
}

function linesOf({ path, configuredIn, configuredBy }: Origin): string[] {
  return [
    ...entry('path', path),
    ...entry('configuredIn', configuredIn),
    ...(configuredBy === undefined
      ? []
      : [
          'configuredBy:',
          ...[
            ...entry('apiVersion', configuredBy.apiVersion),
            ...entry('kind', configuredBy.kind),
            ...entry('name', configuredBy.name),
            ...entry('namespace', configuredBy.namespace),
          ].map((line) => `  ${line}`),
        ]),
  ];
}

function entry(key: string, value: string | undefined): string[] {
  return value === undefined || value === ''
    ? []
    : [emitNodes([{ root: fromJson({ [key]: value }), trailingComments: [] }], { profile: 'goYaml3', indent: 2 }).trimEnd()];
}
