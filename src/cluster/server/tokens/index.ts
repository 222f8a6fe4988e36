/**
 * Tokens of service accounts: requested, checked, reviewed, and the documents by which others check them.
 *
 * @module
 */
import type { World } from '../../../base/world/index.ts';
import type { UserInfo } from '../../../kube/client/index.ts';
import type { KubeObject } from '../../../kube/objects/index.ts';
import type { Store } from '../../store/index.ts';
import type { Answer } from '../answer.ts';
import { ALGORITHM, loadSigningKey, type SigningKey } from './key.ts';
import { tokenRequest, type Target } from './request.ts';
import type { TokenContext } from './types.ts';
import { verifyToken, type Verified } from './verify.ts';

/** What tokens say who issued them, unless configured: the name that the API has inside of a cluster. */
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface TokenOptions {
  /** Where the signing key is kept. Absent: the key is gone with the cluster. */
  readonly keyPath?: string;
  /** The `iss` of tokens, also the audience of the API itself. */
  readonly issuer?: string;
}

export interface Tokens {
  readonly issuer: string;
  /** Where clients reach the server, for discovery. */
  setServerUrl(url: string): void;
  /** TokenRequest (TOK-01). @throws ApiError 400, 404, 409, 422 */
  request(target: Target, body: unknown): Promise<KubeObject>;
  /** The user of a token; undefined when it isn't one of ours (TOK-02). */
  readonly authenticate: (token: string) => Promise<UserInfo | undefined>;
  /** Whose token it is and for which of the audiences (none: those of the API). */
  verify(token: string, audiences: readonly string[]): Promise<Verified>;
  /** Discovery and keys for others that check tokens (OIDC-01). */
  document(path: string): Promise<Answer | undefined>;
}

export function createTokens(options: { readonly world: World; readonly store: Store } & TokenOptions): Tokens {
  const { world, store, keyPath, issuer = ISSUER } = options;
  let loading: Promise<SigningKey> | undefined;
  let serverUrl = issuer;
  const context: TokenContext = { world, store, issuer, key: () => (loading ??= loadSigningKey(world, keyPath)) };
  return {
    issuer,
    setServerUrl: (url) => {
      serverUrl = url;
    },
    request: (target, body) => tokenRequest(context, target, body),
    authenticate: async (token) => {
      const verified = await verifyToken(context, token, []);
      return 'user' in verified ? verified.user : undefined;
    },
    verify: (token, audiences) => verifyToken(context, token, audiences),
    document: async (path) => {
      const document = Object.hasOwn(DOCUMENTS, path) ? DOCUMENTS[path] : undefined;
      return document === undefined ? undefined : document(context, serverUrl);
    },
  };
}

type Document = (context: TokenContext, serverUrl: string) => Promise<Answer>;

const CACHED = { 'cache-control': 'public, max-age=3600' };

const DOCUMENTS: Readonly<Record<string, Document>> = {
  '/.well-known/openid-configuration': async ({ issuer }, serverUrl) => ({
    kind: 'document',
    headers: { ...CACHED, 'content-type': 'application/json' },
    body: {
      issuer,
      jwks_uri: `${serverUrl}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
    },
  }),
  '/openid/v1/jwks': async ({ key }) => {
    const { id, public: publicKey } = await key();
    return {
      kind: 'document',
      headers: { ...CACHED, 'content-type': 'application/jwk-set+json' },
      body: { keys: [{ use: 'sig', kid: id, alg: ALGORITHM, ...publicKey.export({ format: 'jwk' }) }] },
    };
  },
};
