import { messageOf } from '../../base/errors/index.ts';
import { deepEqual, isJsonObject } from '../../kube/objects/index.ts';
import { aggregatedRules, RBAC_GROUP, systemUpdate, workQueue, type Loop, type LoopContext } from '../registry/index.ts';

const CLUSTER_ROLES = `clusterroles.${RBAC_GROUP}`;
const MANAGER = 'clusterrole-aggregation-controller';

/** Keeps the rules of aggregated ClusterRoles in step with the roles that they collect (RBAC-04). */
export function clusterRoleLoop({ env, log }: LoopContext): Loop {
  const { store } = env;
  const work = (name: string): Promise<void> =>
    systemUpdate(env, { resource: CLUSTER_ROLES, namespace: '', name }, { manager: MANAGER }, (role) => {
      if (!isJsonObject(role['aggregationRule'])) return false;
      const rules = aggregatedRules(role, store.list(CLUSTER_ROLES));
      if (deepEqual(rules, role['rules'] ?? [])) return false;
      role['rules'] = rules;
      return true;
    });
  const queue = workQueue(env.world.clock, work, (name, error) => log.error('cluster role', { name, error: messageOf(error) }));
  const addAll = (): void => {
    for (const role of store.list(CLUSTER_ROLES)) if (isJsonObject(role['aggregationRule'])) queue.add(role.metadata.name ?? '');
  };
  return {
    start: addAll,
    on: ({ resource }) => {
      if (resource === CLUSTER_ROLES) addAll();
    },
    stop: () => queue.stop(),
  };
}
