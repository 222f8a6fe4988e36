/**
 * The embedded API server: {@link createCluster} in this process, {@link serve} over HTTPS for kubectl.
 *
 * @module
 */
export { ADMIN, createCluster, type ClusterOptions, type EmbeddedCluster, type Interception } from './cluster.ts';
export type { WebhookHandler, WebhookServices } from '../admission/index.ts';
export type { WorkloadSimulation } from '../workloads/index.ts';
export { serve, type ServedCluster, type ServeOptions } from './serve.ts';
export type { KeyPair } from './certificates.ts';
export { kubeconfigText } from './kubeconfig.ts';
export {
  auditFile,
  parseAuditPolicy,
  type AuditEvent,
  type AuditLevel,
  type AuditOptions,
  type AuditPolicy,
  type AuditRule,
  type AuditSink,
} from './audit/index.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export type { TokenOptions } from './tokens/index.ts';
export type { Authenticator } from './authenticate.ts';
export { authorizeAuthenticated } from './authorize.ts';
export { explainAccess, rbacAuthorizer } from '../registry/index.ts';
export type { AccessExplanation, Authorize, Attributes, Decision, PolicyRule } from '../registry/index.ts';
