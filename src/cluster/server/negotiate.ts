import { apiErrors } from '../../kube/objects/index.ts';

/** How the client wants the answer. */
export interface Wanted {
  readonly form: 'object' | 'table' | 'partial';
  /** `as`, `g` and `v` of the clause that was chosen, for discovery. */
  readonly as?: string;
  readonly group?: string;
  readonly version?: string;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const JSON_TYPES = new Set(['application/json', 'application/*', '*/*']);

/** The clauses of an Accept header, most wanted first. */
function parseAccept(header: string): Clause[] {
  return header
    .split(',')
    .map((text) => {
      const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
      const pairs = parameters.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const);
      return { type: type.toLowerCase(), parameters: new Map(pairs) };
    })
    .filter(({ type }) => type !== '')
    .map((clause, index) => ({ clause, index, weight: Number(clause.parameters.get('q') ?? 1) }))
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index)
    .map(({ clause }) => clause);
}

/**
 * The first clause that can be served: plain JSON, a table, or metadata only (TBL-01, TBL-02).
 *
 * @throws ApiError 406
 */
export function negotiate(accept: string | undefined): Wanted {
  if (accept === undefined || accept.trim() === '') return { form: 'object' };
  for (const { type, parameters } of parseAccept(accept)) {
    if (!JSON_TYPES.has(type)) continue;
    const as = parameters.get('as');
    if (as === undefined) return { form: 'object' };
    if (parameters.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(parameters.get('v') ?? '')) continue;
    const version = parameters.get('v') ?? 'v1';
    if (as === 'Table') return { form: 'table', version };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { form: 'partial', version };
  }
  throw apiErrors.notAcceptable('only the following media types are accepted: application/json');
}

/** True when the first clause that we serve asks for aggregated discovery (DISC-01). */
export function wantsAggregated(accept: string | undefined): boolean {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (!JSON_TYPES.has(type)) continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    if (as === 'APIGroupDiscoveryList' && parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2') return true;
  }
  return false;
}
