import type { GroupKind } from '../objects/index.ts';

const BY_KIND: ReadonlyMap<string, string> = new Map([
  ['source.toolkit.fluxcd.io/HelmRepository', "Flux's source-controller"],
  ['source.toolkit.fluxcd.io/HelmChart', "Flux's source-controller"],
  ['image.toolkit.fluxcd.io/ImageUpdateAutomation', "Flux's image-automation-controller"],
]);

/** A domain counts for its subdomains too. */
const BY_GROUP: ReadonlyMap<string, string> = new Map([
  ['helm.toolkit.fluxcd.io', "Flux's helm-controller"],
  ['image.toolkit.fluxcd.io', "Flux's image-reflector-controller"],
  ['toolkit.fluxcd.io', 'Flux'],
  ['cert-manager.io', 'cert-manager'],
  ['external-secrets.io', 'External Secrets'],
  ['bitnami.com', 'Sealed Secrets'],
  ['onepassword.com', 'the 1Password operator'],
  ['secrets-store.csi.x-k8s.io', 'the Secrets Store CSI driver'],
  ['secrets.hashicorp.com', 'the Vault secrets operator'],
  ['monitoring.coreos.com', 'the Prometheus operator'],
  ['metrics.k8s.io', 'metrics-server or a metrics adapter'],
  ['gateway.networking.k8s.io', 'the Gateway API'],
  ['snapshot.storage.k8s.io', 'the CSI snapshot controller'],
  ['argoproj.io', 'Argo'],
  ['kyverno.io', 'Kyverno'],
  ['gatekeeper.sh', 'Gatekeeper'],
  ['istio.io', 'Istio'],
  ['linkerd.io', 'Linkerd'],
  ['traefik.io', 'Traefik'],
  ['projectcontour.io', 'Contour'],
  ['cilium.io', 'Cilium'],
  ['projectcalico.org', 'Calico'],
  ['metallb.io', 'MetalLB'],
  ['keda.sh', 'KEDA'],
  ['karpenter.sh', 'Karpenter'],
  ['velero.io', 'Velero'],
  ['longhorn.io', 'Longhorn'],
  ['rook.io', 'Rook'],
  ['cnpg.io', 'CloudNativePG'],
  ['strimzi.io', 'Strimzi'],
  ['crossplane.io', 'Crossplane'],
  ['cluster.x-k8s.io', 'Cluster API'],
  ['knative.dev', 'Knative'],
  ['openshift.io', 'OpenShift'],
  ['operators.coreos.com', 'the Operator Lifecycle Manager'],
]);

/**
 * What usually installs and serves a custom kind, as a noun for hints ("cert-manager"). Undefined for kinds of
 * Kubernetes itself and unknown ones.
 */
export function usuallyProvidedBy({ group, kind }: GroupKind): string | undefined {
  const exact = BY_KIND.get(`${group}/${kind}`);
  if (exact !== undefined) return exact;
  for (let domain = group; domain !== ''; domain = domain.includes('.') ? domain.slice(domain.indexOf('.') + 1) : '') {
    const provider = BY_GROUP.get(domain);
    if (provider !== undefined) return provider;
  }
  return undefined;
}
