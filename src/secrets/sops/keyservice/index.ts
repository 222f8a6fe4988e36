export { remoteKeyService, type RemoteKeyService } from './client.ts';
export { startKeyService, type KeyServiceOptions, type RunningKeyService } from './server.ts';
