import { SottoError } from '../../base/errors/index.ts';
import { usuallyProvidedBy } from '../../kube/references/index.ts';
import { missingKinds } from './simulated.ts';
import type { Standing } from './state.ts';

/** A kind of failure that we know what to do about: its mark in the message, and the advice. */
interface Remedy {
  readonly pattern: RegExp;
  readonly hint: string;
}

const REMEDIES: readonly Remedy[] = [
  {
    pattern: /is SOPS encrypted, configuring decryption is required/,
    hint: 'give the key with --age-key-file, and add spec.decryption to the Kustomization',
  },
  {
    pattern: /cannot get sops data key|no key at hand/i,
    hint: 'give the matching key with --age-key-file; `sotto sops decrypt FILE` shows which recipients a file has',
  },
  { pattern: /MAC mismatch/i, hint: 'the file was changed after encryption: restore it from Git, or edit it with its key' },
  {
    pattern: /secrets "[^"]+" not found/,
    hint: 'create the Secret that spec.decryption.secretRef names in the namespace of the Kustomization',
  },
  { pattern: /variable not set \(strict mode\)/, hint: 'define the variable in spec.postBuild, or give it a default: ${NAME:=value}' },
  { pattern: /kustomization path not found/, hint: 'check spec.path, or --path for the first Kustomization' },
  { pattern: /namespaces "[^"]+" not found/, hint: 'apply the Namespace in an earlier Kustomization, and name it in dependsOn' },
  { pattern: /already registered id/, hint: 'the same object is listed twice: remove one of the two resources' },
  { pattern: /unknown field/, hint: 'correct or remove the field; names are case-insensitive but must exist' },
  { pattern: /unable to (clone|list remote)|couldn't find remote ref/, hint: 'check URL, branch and credentials of the GitRepository' },
];

/** The error that ends `sotto up --once` when not everything is Ready: root causes counted first, one hint. */
export function notReadyError(standings: readonly Standing[], timedOut: boolean): SottoError {
  const failed = standings.filter((standing) => standing.state === 'failed');
  const waiting = standings.filter((standing) => standing.state === 'waiting');
  const working = standings.filter((standing) => standing.state === 'working');
  const parts = [
    ...(failed.length > 0 ? [`${failed.length} of ${standings.length} failed`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'}${cycleText(waiting, failed)}`] : []),
    ...(working.length > 0 && timedOut ? [`${working.length} still working when time was up`] : []),
  ];
  const [first] = failed.length > 0 ? failed : waiting;
  const cause = first === undefined ? '' : `; first: ${first.kind} ${first.namespace}/${first.name}: ${first.why.split('\n')[0] ?? ''}`;
  return new SottoError('NOT_READY', parts.join(', ') + cause, { hint: hintFor(failed, waiting, timedOut) });
}

function hintFor(failed: readonly Standing[], waiting: readonly Standing[], timedOut: boolean): string {
  const [missing] = missingKinds(failed);
  if (missing !== undefined) {
    const provider = usuallyProvidedBy({ group: missing.group, kind: missing.kind });
    return `nothing provides ${missing.kind}.${missing.group}${provider === undefined ? '' : `, usually ${provider} does`}; add its CRD to the fleet, or leave out --no-simulate`;
  }
  const remedy = REMEDIES.find(({ pattern }) => failed.some((standing) => pattern.test(standing.message)));
  if (remedy !== undefined) return remedy.hint;
  if (dependencyCycle(waiting) !== undefined) return 'remove one dependsOn of the cycle';
  return timedOut
    ? 'give it more time with --timeout, or follow it with `sotto up`'
    : '`kubectl describe` on the failed object shows its events';
}

function cycleText(waiting: readonly Standing[], failed: readonly Standing[]): string {
  const cycle = dependencyCycle(waiting);
  if (cycle !== undefined) return ` (circular dependency: ${cycle.join(' -> ')})`;
  return failed.length > 0 ? ' for them' : '';
}

/** A cycle of dependsOn among Kustomizations that wait, as `namespace/name`, the first one again at the end. */
export function dependencyCycle(waiting: readonly Standing[]): string[] | undefined {
  const edges = new Map(waiting.map((standing) => [`${standing.namespace}/${standing.name}`, standing.dependsOn]));
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const start = path.indexOf(node);
    if (start >= 0) return [...path.slice(start), node];
    if (done.has(node) || !edges.has(node)) return undefined;
    path.push(node);
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
