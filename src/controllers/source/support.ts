import type { GitRepositorySpec } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import type { SecretData } from './secret-data.ts';

const GITHUB_APP_KEYS = ['githubAppID', 'githubAppPrivateKey', 'githubAppInstallationID', 'githubAppInstallationOwner'];

/** Ways to authenticate that are not done yet: refused by name, never ignored. */
const REFUSED: readonly { readonly field: string; readonly reason: string; readonly isAsked: (spec: GitRepositorySpec) => boolean }[] = [
  { field: 'spec.provider aws', reason: 'InvalidProviderConfiguration', isAsked: ({ provider }) => provider === 'aws' },
  { field: 'spec.provider azure', reason: 'InvalidProviderConfiguration', isAsked: ({ provider }) => provider === 'azure' },
  { field: 'spec.serviceAccountName', reason: 'FeatureGateDisabled', isAsked: ({ serviceAccountName = '' }) => serviceAccountName !== '' },
];

/**
 * Refuses content that cannot be fetched.
 *
 * @throws SourceFailure, stalled
 */
export function checkContent({ recurseSubmodules }: GitRepositorySpec): void {
  if (recurseSubmodules === true) throw unsupported('GitOperationFailed', 'spec.recurseSubmodules');
}

/**
 * Refuses ways to authenticate that cannot be honoured.
 *
 * @throws SourceFailure, stalled
 */
export function checkProvider(spec: GitRepositorySpec): void {
  if (spec.provider === 'github' && spec.secretRef === undefined) {
    const message = 'secretRef with github app data must be specified when provider is set to github';
    throw new SourceFailure('InvalidProviderConfiguration', message, { isStalled: true });
  }
  const refused = REFUSED.find(({ isAsked }) => isAsked(spec));
  if (refused !== undefined) throw unsupported(refused.reason, refused.field);
}

function unsupported(reason: string, field: string): SourceFailure {
  return new SourceFailure(reason, `${field} is not supported by this version of sotto`, { isStalled: true });
}

/** @throws SourceFailure InvalidProviderConfiguration when the Secret is a GitHub App's and the provider is not */
export function checkProviderSecret(spec: GitRepositorySpec, secret: SecretData): void {
  if (spec.provider === 'github' || !GITHUB_APP_KEYS.some((key) => secret.has(key))) return;
  throw new SourceFailure(
    'InvalidProviderConfiguration',
    `secretRef '${secret.label}' has github app data but provider is not set to github`,
  );
}
