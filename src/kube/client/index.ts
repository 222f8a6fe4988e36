/**
 * A dynamic Kubernetes client. {@link connect} makes a {@link Cluster} from any {@link Handle}: the
 * embedded server's in-process one, or {@link httpsHandle} for a real API server. Both pass one test suite.
 *
 * @module
 */
export { connect, type ConnectOptions } from './connect.ts';
export { isKindNotServed } from './discovery.ts';
export { httpsHandle, type HttpsHandle, type HttpsHandleOptions } from './https.ts';
export type { KubeconfigAllowances, KubeconfigSource } from './access.ts';
export { listAll } from './pages.ts';
export type {
  ApiBody,
  ApiRequest,
  ApiResponse,
  ApplyOptions,
  Cluster,
  DeleteOptions,
  Handle,
  KubeList,
  ListOptions,
  PatchKind,
  ResourceInfo,
  UserInfo,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './types.ts';
