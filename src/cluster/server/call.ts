import type { ApiRequest, UserInfo } from '../../kube/client/index.ts';
import type { Environment, Resource, Version, WatchStream } from '../registry/index.ts';
import type { Authenticator } from './authenticate.ts';
import type { RequestInfo } from './requestInfo.ts';
import type { Tokens } from './tokens/index.ts';

/** A resource request, ready to run. */
export interface Call {
  readonly env: Environment;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly resource: Resource;
  readonly version: Version;
  readonly tokens: Tokens;
  /** Every way to know a bearer token. */
  readonly authenticators: readonly Authenticator[];
  readonly warn: (message: string) => void;
  readonly annotate: (key: string, value: string) => void;
  /** Keeps track of open watches, so that closing the cluster ends them. */
  readonly opened: (stream: WatchStream, storeName: string) => void;
  /** @throws ApiError 403 when the caller may not do this as well */
  readonly alsoNeeds: (verb: string) => Promise<void>;
}
