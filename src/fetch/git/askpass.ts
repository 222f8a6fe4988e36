import type { Sensitive } from '../../base/sensitive/index.ts';
import type { GitRemote } from './types.ts';

/**
 * The program that git and ssh-add start to ask for a password. It holds no secret: it passes the question on
 * through descriptor 3, which it inherits, and prints the answer that comes back. An answer without `=` in front
 * is a refusal.
 */
export const ASKPASS_SCRIPT = `#!/bin/sh
printf '%s\\n' "$1" >&3
IFS= read -r answer <&3
case "$answer" in
  =*) printf '%s\\n' "\${answer#=}" ;;
  *) exit 1 ;;
esac
`;

/** The answer that makes askpass fail, so that git reports that it lacks credentials. */
const REFUSAL = '!';

const QUESTION = /^(Username|Password) for '(.*)':\s*$/;

/**
 * Answers git's questions for the remote and its proxy, and for no other host: a redirect cannot carry the
 * credentials away.
 */
export function credentialAnswers(remote: GitRemote): (question: string) => string {
  const { credentials, proxy } = remote;
  const known = new Map<string, { username: string; password: Sensitive<string> }>();
  if (proxy?.username !== undefined && proxy.password !== undefined) {
    known.set(originOf(proxy.address), { username: proxy.username, password: proxy.password });
  }
  if (credentials?.kind === 'basic') known.set(originOf(remote.url), credentials);
  return (question) => {
    const [, what, url = ''] = QUESTION.exec(question) ?? [];
    const found = known.get(originOf(url));
    if (what === undefined || found === undefined) return REFUSAL;
    return `=${what === 'Username' ? found.username : found.password.reveal()}`;
  };
}

/** Answers ssh-add's question for a passphrase, once: it asks again when the passphrase is wrong. */
export function passphraseAnswer(passphrase: Sensitive<string> | undefined): (question: string) => string {
  let left = 1;
  return () => (passphrase !== undefined && left-- > 0 ? `=${passphrase.reveal()}` : REFUSAL);
}

/** Scheme, host and port; empty for text that is no URL. */
function originOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? '' : `${parsed.protocol}//${parsed.host}`;
}
