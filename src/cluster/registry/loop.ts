import type { Log } from '../../base/log/index.ts';
import type { Environment } from './types.ts';
import type { StoreEvent } from '../store/index.ts';

/** What every loop works with. */
export interface LoopContext {
  readonly env: Environment;
  readonly log: Log;
  /** PEM shown in `kube-root-ca.crt`. */
  readonly rootCertificate: () => string;
  /** Ends the watches of a resource, because it is gone or looks different now. */
  readonly endWatches: (storeName: string) => void;
}

/** A control loop of the server. It hears every committed write; `start` looks at what is there already. */
export interface Loop {
  /** Also called again when the context's facts changed. */
  start(): void;
  on(event: StoreEvent): void;
  stop(): void;
}
