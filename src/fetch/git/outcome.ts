import { SottoError } from '../../base/errors/index.ts';

/** What git's error output means: first match counts. `text` is upstream's phrase for it. */
const MEANINGS: readonly { readonly sign: RegExp; readonly code: string; readonly text: string; readonly hint?: string }[] = [
  {
    sign: /transport '[^']*' not allowed|remote helper '[^']*' aborted|Unable to find remote helper/,
    code: 'GIT_PROTOCOL',
    text: 'protocol not allowed',
    hint: 'only http, https and ssh are fetched from',
  },
  {
    sign: /could not read (Username|Password)|Authentication failed|terminal prompts disabled|returned error: 401/,
    code: 'GIT_AUTHENTICATION',
    text: 'authentication required',
    hint: 'check the Secret named by spec.secretRef',
  },
  {
    sign: /returned error: 403/,
    code: 'GIT_AUTHENTICATION',
    text: 'authorization failed',
    hint: 'the credentials lack access to this repository',
  },
  {
    sign: /(error:|response) 407/,
    code: 'GIT_AUTHENTICATION',
    text: 'proxy authentication required',
    hint: 'check the Secret named by spec.proxySecretRef',
  },
  {
    sign: /Host key verification failed|host key (for|is)|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'GIT_HOST_KEY',
    text: 'ssh: handshake failed: knownhosts: key mismatch',
    hint: 'put the host key of the server into known_hosts of the Secret',
  },
  {
    sign: /Permission denied \(|Too many authentication failures/,
    code: 'GIT_AUTHENTICATION',
    text: 'ssh: handshake failed: ssh: unable to authenticate',
    hint: 'check that the public key of the identity is known to the server',
  },
  {
    sign: /repository '[^']*' not found|returned error: 404|does not appear to be a git repository/,
    code: 'GIT_NOT_FOUND',
    text: 'repository not found',
  },
  {
    sign: /SSL certificate problem|server certificate verification failed|certificate verify failed|SSL_ERROR|gnutls_handshake|unable to get local issuer/,
    code: 'GIT_TLS',
    text: 'tls: failed to verify certificate: x509: certificate signed by unknown authority or not valid for this host',
    hint: 'put the CA into ca.crt of the Secret',
  },
  { sign: /Could not resolve (host|proxy)|Name or service not known/, code: 'GIT_UNREACHABLE', text: 'dial tcp: lookup: no such host' },
  { sign: /Connection refused|Failed to connect|Couldn't connect/, code: 'GIT_UNREACHABLE', text: 'dial tcp: connect: connection refused' },
  { sign: /timed out|Operation too slow/i, code: 'GIT_TIMEOUT', text: 'context deadline exceeded' },
  {
    sign: /returned error: 30\d|unable to update url base from redirection/,
    code: 'GIT_FAILED',
    text: 'the server redirects',
    hint: 'give the final URL (often it ends in .git)',
  },
  {
    sign: /unsupported object format|mismatched algorithms|object format/i,
    code: 'GIT_UNSUPPORTED',
    text: 'SHA-256 object repositories are not supported',
  },
];

/** Reads why git failed out of its error output, which never has secrets of ours but may have a server's text. */
function classify(stderr: string): { readonly code: string; readonly text: string; readonly hint?: string } {
  return MEANINGS.find(({ sign }) => sign.test(stderr)) ?? { code: 'GIT_FAILED', text: ownWords(stderr) };
}

/** The first `fatal:` or `error:` line of git itself; what the server said (`remote: …`) is left out. */
function ownWords(stderr: string): string {
  const line = stderr
    .split('\n')
    .filter((text) => !/^\s*remote:|^fatal: remote error/.test(text))
    .find((text) => /^(fatal|error): /.test(text));
  return line === undefined ? 'git failed without saying why' : line.replace(/^(fatal|error): /, '').replaceAll(/\/\/[^/@\s]*@/g, '//');
}

type Doing = 'unable to clone' | 'unable to list remote for';

/** Adds what was being done to the error of a program that took too long. */
export function late(doing: Doing, url: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof SottoError) || error.code !== 'GIT_TIMEOUT') throw error;
    throw new SottoError(error.code, `${doing} '${url}': ${error.message}`, {
      retry: true,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  };
}

/** An error of git as upstream words it: `unable to clone '<url>': <reason>`. */
export function gitFailure(doing: Doing, url: string, stderr: string, redact: (text: string) => string): SottoError {
  const { code, text, hint } = classify(stderr);
  return new SottoError(code, `${doing} '${url}': ${redact(text)}`, { retry: true, ...(hint === undefined ? {} : { hint }) });
}
