import { gvkOf, type JsonObject, type KubeObject } from '../objects/index.ts';
import { checkCrd } from './check-crd.ts';
import { checkConfigMap, checkSecret } from './check-data.ts';
import { checkMetadata } from './check-metadata.ts';
import { checkBinding, checkClaim, checkIngress, checkRole, checkService, checkStorageClass } from './check-others.ts';
import { checkCronJob, checkJob, checkPod, checkReplicated, checkStatefulSet, type ObjectCheck } from './check-workloads.ts';
import { schemaOf } from './definitions.ts';
import { shortTitle } from './table.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, pathSegment, type NameCheck } from './names.ts';
import type { FieldError } from './types.ts';

/** Its finalizers are free, like those of the resources that it defines. */
const CRD = 'apiextensions.v1.CustomResourceDefinition';

/** The form of names, for kinds whose names are no DNS subdomains. */
const NAMES: Readonly<Record<string, NameCheck>> = {
  'core.v1.Namespace': dnsLabel,
  'core.v1.Service': dns1035Label,
  'rbac.v1.Role': pathSegment,
  'rbac.v1.ClusterRole': pathSegment,
  'rbac.v1.RoleBinding': pathSegment,
  'rbac.v1.ClusterRoleBinding': pathSegment,
  'certificates.v1.CertificateSigningRequest': dnsSubdomain,
};

/** What each kind checks beside its metadata. */
const CHECKS: Readonly<Record<string, ObjectCheck>> = {
  'core.v1.Secret': checkSecret,
  'core.v1.ConfigMap': checkConfigMap,
  'core.v1.Pod': checkPod,
  'core.v1.Service': checkService,
  'core.v1.PersistentVolumeClaim': checkClaim,
  'apps.v1.Deployment': checkReplicated('deployment', ['selector']),
  'apps.v1.ReplicaSet': checkReplicated('replicaset', ['selector']),
  'apps.v1.DaemonSet': checkReplicated('daemonset', ['selector']),
  'apps.v1.StatefulSet': checkStatefulSet,
  'batch.v1.Job': checkJob,
  'batch.v1.CronJob': checkCronJob,
  'networking.v1.Ingress': checkIngress,
  'rbac.v1.Role': checkRole,
  'rbac.v1.ClusterRole': checkRole,
  'rbac.v1.RoleBinding': checkBinding,
  'rbac.v1.ClusterRoleBinding': checkBinding,
  'storage.v1.StorageClass': checkStorageClass,
  [CRD]: checkCrd,
};

/**
 * Validates an object the way its kind does, after defaults and {@link prepareObject}: metadata for every kind,
 * more for the kinds above, and with `old` what may not change. Custom resources get the metadata checks only;
 * their own are {@link validate}'s. No text contains a value of a Secret.
 */
export function validateObject(object: KubeObject, old?: KubeObject): FieldError[] {
  const title = schemaOf(gvkOf(object))?.title;
  const name = title === undefined ? '' : shortTitle(title);
  const metadata = checkMetadata(object, { name: NAMES[name] ?? dnsSubdomain, isBuiltin: title !== undefined && name !== CRD }, old);
  return [...metadata, ...(CHECKS[name]?.(object as unknown as JsonObject, old) ?? [])];
}
