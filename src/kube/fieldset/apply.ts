import { apiErrors, checkDepth, gvkOf, type Json, type KubeObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { compare, ignoring, type Comparison } from './compare.ts';
import { conflictError, type Conflict } from './conflict.ts';
import { FieldSet } from './fieldset.ts';
import { equalsLastApplied, withLastApplied } from './lastapplied.ts';
import { decodeManagers, managerKey, NEVER_TRACKED, tidy, timeText, withManagers, type Manager, type Managers } from './managers.ts';
import { mergeApplied } from './merge.ts';
import { settleRemoved } from './removed.ts';
import { joinProblems, typedProblems } from './typed.ts';
import { accountUpdate, reconciled, untracked, type WriteContext } from './update.ts';
import { fieldsOf, removeFields, withNamedFields } from './walk.ts';

export interface ApplyRequest extends WriteContext {
  /** The stored object; absent when the apply creates it. */
  readonly live?: KubeObject;
  /** The applied configuration, namespace and name filled. */
  readonly config: KubeObject;
  /** Take fields from other managers instead of failing. */
  readonly force: boolean;
}

const BEFORE_FIRST_APPLY = 'before-first-apply';
const KUBECTL = 'kubectl';

/**
 * Server-side apply: lays a configuration over the live object, removes what this manager applied before and
 * nobody owns now, and accounts the fields. Follows structured-merge-diff's merge rules.
 *
 * @returns the object to store before defaults are set
 * @throws ApiError 409 with a cause for every field that another manager owns and that would change, unless forced;
 *   500 without reason when the configuration does not fit the schema; 400 when it carries managedFields
 */
export function applyManaged(request: ApplyRequest): { readonly object: KubeObject } {
  const { schema, config } = request;
  checkConfig(request);
  const live = request.live === undefined ? undefined : withManagers(request.live, undefined);
  const managers = managersOfApply(request, live);
  const identity = {
    manager: request.manager,
    operation: 'Apply',
    apiVersion: request.apiVersion,
    subresource: request.subresource ?? '',
  } as const;
  const key = managerKey(identity);
  const applied = fieldsOf(schema, untracked(config)).recursiveDifference(request.resetFields ?? FieldSet.empty);
  const previous = managers.get(key);
  const claimed = new Map(managers).set(key, { ...identity, set: applied });

  const merged = mergeApplied(schema, untracked(live), untracked(config));
  const pruned = prune(schema, merged, claimed, previous?.set);
  const changes = ignoring(compare(schema, untracked(live), pruned), request.resetFields ?? FieldSet.empty);
  const others = settle(request, claimed, key, changes, live);

  const isChanged = !changes.added.isEmpty() || !changes.modified.isEmpty() || !changes.removed.isEmpty();
  const time = isChanged ? timeText(request.now) : (previous?.time ?? timeText(request.now));
  others.set(key, { ...identity, time, set: applied.difference(NEVER_TRACKED) });
  const object = settleRemoved(schema, { merged, config: untracked(config), owned: ownedBy(claimed) }, pruned) as unknown as KubeObject;
  const finished = request.manager === KUBECTL ? withLastApplied(object, config) : object;
  return { object: withManagers(finished, tidy(others, undefined)) };
}

/** @throws ApiError 400, 500 */
function checkConfig(request: ApplyRequest): void {
  const { schema, config } = request;
  checkDepth(config);
  if ((config.metadata.managedFields ?? null) !== null) throw apiErrors.badRequest('metadata.managedFields must be nil');
  const problems = typedProblems(schema, untracked(config));
  if (problems.length === 0) return;
  const { group, version, kind } = gvkOf(config);
  const { namespace = '', name = '' } = config.metadata;
  throw apiErrors.plain(
    `failed to create typed patch object (${namespace}/${name}; ${group}/${version}, Kind=${kind}): ${joinProblems(problems)}`,
  );
}

/** SSA-10: an object that was never tracked belongs, as it is, to a manager of its own. */
function managersOfApply(request: ApplyRequest, live: KubeObject | undefined): Managers {
  const stored = decodeManagers(request.live?.metadata.managedFields) ?? new Map<string, Manager>();
  if (live === undefined || stored.size > 0) return reconciled(request.schema, tidy(stored, request.knownVersions));
  return accountUpdate({ ...request, manager: BEFORE_FIRST_APPLY }, undefined, live, new Map());
}

/** Removes what was applied last time, unless somebody owns it now or it was never applied by this manager. */
function prune(schema: Schema, merged: Json, claimed: Managers, previous: FieldSet | undefined): Json {
  if (previous === undefined || previous.isEmpty()) return merged;
  const last = withNamedFields(schema, previous);
  const present = withNamedFields(schema, fieldsOf(schema, merged));
  const membersOf = (value: Json): FieldSet => withNamedFields(schema, fieldsOf(schema, value));
  const stripped = membersOf(removeFields(schema, merged, last));
  const owned = withNamedFields(schema, ownedBy(claimed));
  const kept = membersOf(removeFields(schema, merged, present.difference(stripped.union(owned))));
  return removeFields(schema, merged, present.difference(kept).intersection(last));
}

function ownedBy(managers: Managers): FieldSet {
  return [...managers.values()].reduce((all, entry) => all.union(entry.set), FieldSet.empty);
}

/** What the other managers keep. @throws ApiError 409 */
function settle(
  request: ApplyRequest,
  claimed: Managers,
  key: string,
  changes: Comparison,
  live: KubeObject | undefined,
): Map<string, Manager> {
  const taken = changes.modified.union(changes.added);
  const others = new Map(claimed);
  others.delete(key);
  const conflicts: Conflict[] = [];
  for (const [other, entry] of others) {
    const set = entry.set.intersection(taken);
    if (!set.isEmpty()) conflicts.push({ manager: entry, set });
    others.set(other, { ...entry, set: entry.set.difference(set).difference(changes.removed) });
  }
  const standing = request.force ? [] : allowed(request, conflicts, live);
  if (standing.length > 0) throw conflictError(standing);
  return others;
}

/** SSA-13: `kubectl` may take over what it applied on the client side and nobody changed since. */
function allowed(request: ApplyRequest, conflicts: readonly Conflict[], live: KubeObject | undefined): readonly Conflict[] {
  if (request.manager !== KUBECTL || live === undefined || conflicts.length === 0) return conflicts;
  const own = equalsLastApplied(request.schema, live);
  return conflicts.map(({ manager, set }) => ({ manager, set: set.difference(own) })).filter(({ set }) => !set.isEmpty());
}
