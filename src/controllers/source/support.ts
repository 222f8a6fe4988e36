import type { GitRepositorySpec } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import type { SecretData } from './secret.ts';

const GITHUB_APP_KEYS = ['githubAppID', 'githubAppPrivateKey', 'githubAppInstallationID', 'githubAppInstallationOwner'];

/** Parts of a spec that are not done yet: refused by name, never ignored. */
const REFUSED: readonly { readonly field: string; readonly reason: string; readonly isAsked: (spec: GitRepositorySpec) => boolean }[] = [
  { field: 'spec.provider aws', reason: 'InvalidProviderConfiguration', isAsked: ({ provider }) => provider === 'aws' },
  { field: 'spec.provider azure', reason: 'InvalidProviderConfiguration', isAsked: ({ provider }) => provider === 'azure' },
  {
    field: 'spec.serviceAccountName',
    reason: 'FeatureGateDisabled',
    isAsked: ({ serviceAccountName }) => (serviceAccountName ?? '') !== '',
  },
  { field: 'spec.recurseSubmodules', reason: 'GitOperationFailed', isAsked: ({ recurseSubmodules }) => recurseSubmodules === true },
];

/**
 * Refuses what cannot be honoured.
 *
 * @throws SourceFailure, stalled
 */
export function checkSupport(spec: GitRepositorySpec): void {
  if (spec.provider === 'github' && spec.secretRef === undefined) {
    throw new SourceFailure(
      'InvalidProviderConfiguration',
      'secretRef with github app data must be specified when provider is set to github',
      {
        isStalled: true,
      },
    );
  }
  const refused = REFUSED.find(({ isAsked }) => isAsked(spec));
  if (refused !== undefined)
    throw new SourceFailure(refused.reason, `${refused.field} is not supported by this version of sotto`, { isStalled: true });
}

/** @throws SourceFailure InvalidProviderConfiguration when the Secret is a GitHub App's and the provider is not */
export function checkProviderSecret(spec: GitRepositorySpec, secret: SecretData): void {
  if (spec.provider === 'github' || !GITHUB_APP_KEYS.some((key) => secret.has(key))) return;
  throw new SourceFailure(
    'InvalidProviderConfiguration',
    `secretRef '${secret.label}' has github app data but provider is not set to github`,
  );
}
