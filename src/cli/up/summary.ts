import { formatDuration } from '../../base/world/index.ts';
import { stringifyJson } from '../../kube/objects/index.ts';
import type { Face } from '../command.ts';
import { renderTable, type Column } from '../table.ts';
import { shortRevision, type Standing } from './state.ts';

/** How one Secret came to be and who uses it. Values never get here. */
export interface SecretWay {
  readonly file: string;
  readonly mechanism: string;
  readonly namespace: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly consumers: readonly string[];
}

export interface Summary {
  readonly standings: readonly Standing[];
  /** Kustomization key → milliseconds from first sight to Ready. */
  readonly times: ReadonlyMap<string, number>;
  readonly secrets: readonly SecretWay[];
  /** `Kind.group` of permissive CRDs, each with who usually runs it. */
  readonly simulated: readonly { readonly kind: string; readonly controller: string }[];
}

const KUSTOMIZATIONS: readonly Column[] = [
  { title: 'KUSTOMIZATION' },
  { title: 'STATE' },
  { title: 'REVISION', priority: 1 },
  { title: 'OBJECTS', priority: 2 },
  { title: 'TIME', priority: 3 },
  { title: 'WHY' },
];

const SECRETS: readonly Column[] = [
  { title: 'SECRET' },
  { title: 'KEYS' },
  { title: 'MECHANISM', priority: 1 },
  { title: 'FILE', priority: 2 },
  { title: 'USED BY', priority: 3 },
];

const MASKED = '=***';

/** Prints the summary of `sotto up --once` on stdout. */
export function printSummary(summary: Summary, face: Face, format: 'table' | 'wide' | 'json'): void {
  face.world.stdout.write(format === 'json' ? `${stringifyJson(jsonOf(summary))}\n` : tablesOf(summary, face, format === 'wide'));
}

function tablesOf(summary: Summary, face: Face, wide: boolean): string {
  const { style } = face;
  const { stdout } = face.world;
  const options = { ...(stdout.isTTY && !wide ? { width: stdout.columns } : {}), heading: (text: string) => style.heading(text) };
  const rows = summary.standings
    .filter((standing) => standing.kind === 'Kustomization')
    .toSorted((a, b) => RANK[a.state] - RANK[b.state])
    .map((standing) => {
      const took = summary.times.get(standing.key);
      return [
        `${standing.namespace}/${standing.name}`,
        style.paint(standing.state, `${style.glyph(standing.state)} ${standing.word}`.trim()),
        wide ? standing.revision : shortRevision(standing.revision) || '-',
        String(standing.objects),
        took === undefined ? '-' : formatDuration(Math.round(took / 100) * 100),
        oneLine(standing.why),
      ];
    });
  const secretRows = summary.secrets.map((secret) => [
    `${secret.namespace}/${secret.name}`,
    secret.keys.map((key) => key + MASKED).join(' '),
    secret.mechanism,
    secret.file,
    secret.consumers.join(', ') || '-',
  ]);
  const parts = [renderTable(KUSTOMIZATIONS, rows, options)];
  if (secretRows.length > 0) parts.push(renderTable(SECRETS, secretRows, options));
  if (summary.simulated.length > 0) {
    const kinds = summary.simulated.map(({ kind, controller }) => `${kind} (${controller})`).join(', ');
    parts.push(`simulated kinds, whose controllers did not run: ${kinds}\n`);
  }
  return parts.join('\n');
}

const RANK: Readonly<Record<Standing['state'], number>> = { failed: 0, waiting: 1, working: 2, warning: 3, suspended: 4, ready: 5 };

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function jsonOf(summary: Summary): object {
  return {
    schemaVersion: 1,
    kustomizations: summary.standings
      .filter((standing) => standing.kind === 'Kustomization')
      .map(({ namespace, name, state, revision, objects, why, reason, key }) => ({
        name,
        namespace,
        objects,
        reason,
        revision,
        seconds: (summary.times.get(key) ?? 0) / 1000,
        state,
        why,
      })),
    secrets: summary.secrets,
    simulated: summary.simulated,
  };
}
