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
