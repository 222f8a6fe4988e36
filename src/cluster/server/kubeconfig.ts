/** A credential of a kubeconfig user: PEM texts or a bearer token. */
export type Credential = { readonly token: string } | { readonly certificate: string; readonly key: string };

/** The text of a kubeconfig with one cluster, one user and one context. It holds a secret: keep it private. */
export function kubeconfigText(options: {
  readonly url: string;
  readonly authority: string;
  readonly user: string;
  readonly credential: Credential;
  readonly cluster?: string;
}): string {
  const { url, authority, user, credential, cluster = 'sotto' } = options;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const secret =
    'token' in credential
      ? [`    token: ${credential.token}`]
      : [`    client-certificate-data: ${base64(credential.certificate)}`, `    client-key-data: ${base64(credential.key)}`];
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${cluster}`,
    '  cluster:',
    `    server: ${url}`,
    `    certificate-authority-data: ${base64(authority)}`,
    'users:',
    `- name: ${user}`,
    '  user:',
    ...secret,
    'contexts:',
    `- name: ${cluster}`,
    '  context:',
    `    cluster: ${cluster}`,
    `    user: ${user}`,
    `current-context: ${cluster}`,
    '',
  ].join('\n');
}
