/**
 * How every git program runs: nothing of the machine's or a user's configuration, no questions to a terminal, no
 * hooks, filters or LFS, and only the transports that a GitRepository may name.
 */

/** The only transports that are fetched from. */
const PROTOCOLS = ['http', 'https', 'ssh'];
/** A transfer slower than this many bytes a second … */
const LOW_SPEED_LIMIT = 1;
/** … for this many seconds is given up. */
const LOW_SPEED_SECONDS = 60;
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];

/** The environment of a git program. Nothing of ours is inherited but PATH and proxies without credentials. */
export function gitEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  options: {
    readonly home: string;
    readonly askpass?: string;
    readonly globalConfig?: string;
    readonly ssh?: Readonly<Record<string, string>>;
  },
): Record<string, string> {
  return {
    PATH: inherited['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: options.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: options.globalConfig ?? '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: options.home,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: options.askpass ?? '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_ALLOW_PROTOCOL: PROTOCOLS.join(':'),
    GIT_SSH_COMMAND: '/bin/false',
    GIT_SSH_VARIANT: 'ssh',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    ...proxies(inherited),
    ...options.ssh,
  };
}

function proxies(inherited: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const found = PROXY_VARIABLES.map((name) => [name, inherited[name] ?? ''] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== '' && !value.includes('@')));
}

/** Settings that stand before every git command: they win over those of a repository. */
export const HARDENED_SETTINGS: readonly string[] = settings({
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.logAllRefUpdates': 'false',
  'credential.helper': '',
  'protocol.allow': 'never',
  ...Object.fromEntries(PROTOCOLS.map((name) => [`protocol.${name}.allow`, 'always'])),
  'protocol.version': '2',
  'transfer.bundleURI': 'false',
  'fetch.recurseSubmodules': 'false',
  'fetch.writeCommitGraph': 'false',
  'submodule.recurse': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'http.sslVerify': 'true',
  'http.followRedirects': 'initial',
  'http.lowSpeedLimit': String(LOW_SPEED_LIMIT),
  'http.lowSpeedTime': String(LOW_SPEED_SECONDS),
  'filter.lfs.smudge': '',
  'filter.lfs.clean': '',
  'filter.lfs.process': '',
  'filter.lfs.required': 'false',
});

/** Settings as arguments of git. Never for secrets: arguments are public. */
export function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
