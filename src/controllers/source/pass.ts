import type { Log } from '../../base/log/index.ts';
import type { ArtifactOwner } from '../../fetch/artifact/index.ts';
import type { GitRepository, GitRepositorySpec } from '../../kube/objects/index.ts';
import type { GithubApp } from './githubapp.ts';
import { KIND } from './model.ts';
import type { GitRepositoryControllerOptions, SourceFlags } from './options.ts';
import type { StatusDraft } from './status.ts';

export interface Controls extends GitRepositoryControllerOptions {
  readonly flags: SourceFlags;
  readonly githubApp: GithubApp;
}

/** One reconciliation of one GitRepository. */
export interface Pass {
  readonly controls: Controls;
  readonly object: GitRepository;
  readonly spec: GitRepositorySpec;
  readonly namespace: string;
  readonly name: string;
  readonly draft: StatusDraft;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export function ownerOf(pass: Pick<Pass, 'namespace' | 'name'>): ArtifactOwner {
  return { kind: KIND, namespace: pass.namespace, name: pass.name };
}

/** Hands an event to the sink. */
export async function announce(
  pass: Pass,
  severity: 'info' | 'error',
  reason: string,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await pass.controls.events.emit({ object: pass.object, severity, reason, message, metadata });
}

/** Upstream records these as trace events, which no provider ever gets: the log has them. */
export function trace(pass: Pass, reason: string, message: string): void {
  pass.log.debug(message, { reason });
}
