import { userInfo } from 'node:os';

import { ExitError, status } from './failures.ts';

/** Missing in Node's types. */
interface WithGroups {
  readonly initgroups?: (user: string, extraGroup: number) => void;
}

/**
 * Gives up our own identity for that of a user, with its groups, for good: what is made afterwards belongs to the user.
 *
 * @returns the variables that name the user
 * @throws ExitError 1 for an unknown user, or without the right to become another one
 */
export function becomeUser(name: string): Readonly<Record<string, string>> {
  const { seteuid, getuid, initgroups, setgid, setuid } = process as NodeJS.Process & WithGroups;
  if (seteuid === undefined || getuid === undefined || initgroups === undefined || setgid === undefined || setuid === undefined) {
    throw new ExitError(status.generic, '--user is not supported on this system');
  }
  try {
    const own = getuid();
    seteuid(name);
    // describes whom the process acts for at the moment
    const { gid, homedir, username } = userInfo();
    seteuid(own);
    initgroups(name, gid);
    setgid(gid);
    setuid(name);
    return { HOME: homedir, USER: username, LOGNAME: username };
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'failed';
    throw new ExitError(status.generic, `cannot run as user ${name}: ${problem}`);
  }
}
