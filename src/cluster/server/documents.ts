import type { ApiRequest } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';
import type { Environment } from '../registry/index.ts';
import type { Answer } from './answer.ts';
import { discovery } from './discovery.ts';
import { openApi } from './openapi.ts';
import type { RequestInfo } from './requestInfo.ts';

/** The version that the server calls itself: one that clients from 1.32 to 1.34 accept without a skew warning. */
const KUBERNETES_VERSION = { major: '1', minor: '33', gitVersion: 'v1.33.0' } as const;

const VERSION = {
  ...KUBERNETES_VERSION,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'sotto',
  platform: `${process.platform}/${process.arch}`,
};
const CHECKS = ['ping', 'store', 'discovery'];

/** Answers requests that are not for a resource: version, health, discovery, OpenAPI. @throws ApiError 404, 405 */
export function answerDocument(env: Environment, request: ApiRequest, info: RequestInfo): Answer {
  const path = info.path.length > 1 ? info.path.replace(/\/+$/, '') : info.path;
  const answer =
    health(path, request.query) ??
    (path === '/version' ? { kind: 'document', body: VERSION } : undefined) ??
    discovery(env.catalog, path, request.headers) ??
    openApi(env.catalog, path, request) ??
    (path === '/'
      ? { kind: 'document', body: { paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] } }
      : undefined);
  if (answer === undefined) throw apiErrors.of(404, 'NotFound', 'the server could not find the requested resource', {});
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw apiErrors.of(405, 'MethodNotAllowed', 'the method is not supported here');
  return answer;
}

function health(path: string, query: URLSearchParams): Answer | undefined {
  const [, endpoint = '', check = ''] = path.split('/');
  if (!['healthz', 'livez', 'readyz'].includes(endpoint)) return undefined;
  if (check !== '' && !CHECKS.includes(check)) return undefined;
  if (check === '' && query.has('verbose')) {
    return { kind: 'document', body: `${CHECKS.map((name) => `[+]${name} ok\n`).join('')}${endpoint} check passed\n` };
  }
  return { kind: 'document', body: 'ok' };
}
