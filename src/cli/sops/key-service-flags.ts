import { SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { localKeyService, remoteKeyService, type RemoteKeyService } from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';
import type { SopsFace } from './face.ts';

const FLAG = /^--?enable-local-keyservice(?:=(.*))?$/s;
const TRUE = new Set(['1', 't', 'true']);
const FALSE = new Set(['0', 'f', 'false']);

/**
 * Takes `--enable-local-keyservice` out of a command line: it is on unless it says false.
 *
 * @throws SottoError USAGE
 */
export function takeLocalFlag(argv: readonly string[], env: World['env']): { readonly rest: string[]; readonly isLocal: boolean } {
  const rest = argv.filter((word) => !FLAG.test(word));
  const given = argv.map((word) => FLAG.exec(word)).findLast((match) => match !== null);
  const text = given === undefined ? (env['SOPS_ENABLE_LOCAL_KEYSERVICE'] ?? '') : (given[1] ?? 'true');
  const word = text.toLowerCase();
  if (word !== '' && !TRUE.has(word) && !FALSE.has(word))
    throw new SottoError('USAGE', 'invalid value for --enable-local-keyservice: expected true or false');
  return { rest, isLocal: !FALSE.has(word) };
}

/** Who is asked for data keys, and how to hang up in the end. */
export function keyServicesOf(
  args: Arguments,
  world: World,
  entropy: Entropy,
  isLocal: boolean,
): { readonly keyServices: SopsFace['keyServices']; close(): void } {
  const flagged = args.list('keyservice');
  const addresses = flagged.length > 0 ? flagged : (world.env['SOPS_KEYSERVICE'] ?? '').split(',').filter((address) => address !== '');
  const context = { world, entropy };
  const remote: RemoteKeyService[] = addresses.map((address) => remoteKeyService(address, context));
  return {
    keyServices: (credentials) => [...(isLocal ? [localKeyService(credentials, context)] : []), ...remote],
    close: () => {
      for (const service of remote) service.close();
    },
  };
}
