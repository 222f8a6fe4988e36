import { SottoError } from '../../base/errors/index.ts';
import type { WatchStream } from '../registry/index.ts';

/** The open watches of a cluster. */
export interface WatchList {
  add(stream: WatchStream, storeName: string): void;
  /** Ends the watches of a resource, or all. */
  endOf(storeName?: string): void;
  /** Breaks those of a resource off, or all; answers how many. */
  drop(error: SottoError, storeName?: string): number;
}

export function watchList(): WatchList {
  const open = new Map<WatchStream, string>();
  return {
    add: (stream, storeName) => {
      open.set(stream, storeName);
      void stream.closed.then(() => open.delete(stream));
    },
    endOf: (storeName) => {
      for (const [stream, name] of open) if (storeName === undefined || storeName === name) stream.end();
    },
    drop: (error, storeName) => {
      const hit = [...open].filter(([, name]) => storeName === undefined || storeName === name);
      for (const [stream] of hit) stream.drop(error);
      return hit.length;
    },
  };
}

/** What a client sees when its connection breaks. */
export function lost(): SottoError {
  return new SottoError('CLUSTER_CONNECTION_LOST', 'the connection to the cluster was lost', { retry: true });
}
