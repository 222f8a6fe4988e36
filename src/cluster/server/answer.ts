import type { KubeObject, Status } from '../../kube/objects/index.ts';
import type { Frame, ListResult, Resource, Version } from '../registry/index.ts';

/** What a verb answers, before it is shown as the client wants it. */
export type Answer =
  | {
      readonly kind: 'object';
      readonly status: number;
      readonly object: KubeObject;
      readonly resource: Resource;
      readonly version: Version;
    }
  | { readonly kind: 'list'; readonly list: ListResult; readonly resource: Resource; readonly version: Version }
  | { readonly kind: 'watch'; readonly frames: AsyncIterable<Frame>; readonly resource: Resource; readonly version: Version }
  | { readonly kind: 'status'; readonly status: Status }
  | {
      readonly kind: 'document';
      readonly status?: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };
