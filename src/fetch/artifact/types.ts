/** `status.artifact` of a Flux source. */
export interface Artifact {
  readonly path: string;
  readonly url: string;
  readonly revision: string;
  /** `sha256:<hex>` of the archive's bytes. */
  readonly digest: string;
  /** RFC 3339. */
  readonly lastUpdateTime: string;
  readonly size?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}
