/**
 * The embedded API server: {@link createCluster} in this process, {@link serve} over HTTPS for kubectl.
 *
 * @module
 */
export { ADMIN, createCluster, type ClusterOptions, type EmbeddedCluster, type Interception } from './cluster.ts';
export { serve, type ServedCluster, type ServeOptions } from './serve.ts';
export type { KeyPair } from './certificates.ts';
export { kubeconfigText } from './kubeconfig.ts';
export type { Authenticator } from './authenticate.ts';
export type { Authorize, Attributes, Decision } from '../registry/index.ts';
