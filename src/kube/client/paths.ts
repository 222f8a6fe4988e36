import { apiErrors, apiVersionOf } from '../objects/index.ts';
import { groupVersionPath } from './discovery.ts';
import type { ListOptions, ResourceInfo, WatchOptions, WriteOptions } from './types.ts';

/** Path of a collection. Without a namespace it spans all of them. */
export function collectionPath(resource: ResourceInfo, namespace?: string): string {
  const scope = resource.namespaced && namespace !== undefined && namespace !== '' ? `/namespaces/${namespace}` : '';
  return `${groupVersionPath(apiVersionOf(resource))}${scope}/${resource.plural}`;
}

/**
 * Path of one object, or of a subresource of it.
 *
 * @throws ApiError BadRequest for an empty name, or without a namespace where one is needed
 */
export function objectPath(resource: ResourceInfo, namespace: string | undefined, name: string, subresource?: string): string {
  if (name === '') throw apiErrors.badRequest('resource name may not be empty');
  if (resource.namespaced && (namespace ?? '') === '') {
    throw apiErrors.badRequest('an empty namespace may not be set when a resource name is provided');
  }
  const base = `${collectionPath(resource, namespace)}/${name}`;
  return subresource === undefined || subresource === '' ? base : `${base}/${subresource}`;
}

/**
 * Path that new objects are posted to.
 *
 * @throws ApiError BadRequest without a namespace where one is needed
 */
export function creationPath(resource: ResourceInfo, namespace: string | undefined): string {
  if (resource.namespaced && (namespace ?? '') === '') throw apiErrors.badRequest('an empty namespace may not be set during creation');
  return collectionPath(resource, namespace);
}

export function listQuery(options: ListOptions): URLSearchParams {
  return queryOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  });
}

export function watchQuery(options: WatchOptions): URLSearchParams {
  return queryOf({
    watch: true,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.sendInitialEvents === undefined ? undefined : 'NotOlderThan',
    allowWatchBookmarks: options.allowWatchBookmarks,
    sendInitialEvents: options.sendInitialEvents,
    timeoutSeconds: options.timeoutSeconds,
  });
}

export function writeQuery(options: WriteOptions, force?: boolean): URLSearchParams {
  return queryOf({
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    force: force === true ? true : undefined,
  });
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query;
}

/** Splits a raw request path such as `/apis?timeout=32s` into decoded path and query. */
export function splitPath(path: string): { path: string; query: URLSearchParams } {
  const mark = path.indexOf('?');
  const bare = mark < 0 ? path : path.slice(0, mark);
  return {
    path: bare.split('/').map(decodeURIComponent).join('/'),
    query: new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1)),
  };
}
