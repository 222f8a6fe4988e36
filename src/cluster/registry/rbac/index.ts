/**
 * Role-based access control: what the stored roles and bindings allow, and who may change them.
 *
 * @module
 */
export { explainAccess, rbacAuthorizer } from './authorizer.ts';
export { RBAC_GROUP } from './bindings.ts';
export { checkEscalation } from './escalation.ts';
export { aggregatedRules, BOOTSTRAP_BINDINGS, BOOTSTRAP_ROLES, missingRules, missingSubjects } from './policy.ts';
