import { startKeyService } from '../../secrets/sops/index.ts';
import type { MasterKey } from '../../secrets/keys/index.ts';
import { ambientCredentials } from './credentials.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { confirm } from './prompt.ts';
import { onStop } from './signals.ts';
import { toggle, value } from './usage.ts';

/** What a request is for, in the words of the prompt. */
const NAMES: Readonly<Record<MasterKey['type'], string>> = {
  age: 'age key with recipient',
  pgp: 'PGP key with fingerprint',
  kms: 'AWS KMS key with ARN',
  gcp_kms: 'GCP KMS key with resource ID',
  azure_kv: 'Azure Key Vault key with URL',
  hc_vault: 'Hashicorp Vault key with URI',
  hckms: 'HuaweiCloud KMS key with ID',
};

/** `sops keyservice`: lends our keys to other processes until it is stopped. */
export const keyServiceCommand: SopsCommand = {
  flags: [
    { ...value('network', 'tcp or unix'), default: 'tcp' },
    value('net', 'the same'),
    { ...value('address', 'host:port, or the path of a socket'), default: '127.0.0.1:5000' },
    value('addr', 'the same'),
    toggle('prompt', 'ask before every request is served'),
  ],
  run: async (face) => {
    const { args, world, entropy, warn } = face;
    const network = args.text('net') ?? args.text('network') ?? 'tcp';
    const address = args.text('addr') ?? args.text('address') ?? '';
    if (network !== 'tcp' && network !== 'unix') throw new ExitError(status.generic, `listen ${network}: unknown network ${network}`);
    const stopped = Promise.withResolvers<void>();
    const forget = onStop(() => stopped.resolve());
    const ask = oneAtATime((question: string) => confirm(question, world));
    const service = await startKeyService({
      world,
      entropy,
      warn,
      network,
      address,
      credentials: (key) => ambientCredentials(world, key.type === 'age' ? [key.display] : []),
      ...(args.has('prompt') ? { allow: (request, key) => ask(question(request, key)) } : {}),
    });
    world.stderr.write(`Listening on ${network}://${network === 'tcp' ? address.replace(/:0$/, `:${service.port}`) : address}\n`);
    await stopped.promise;
    forget();
    service.close();
  },
};

function question(request: 'encrypt' | 'decrypt', key: MasterKey): string {
  return `\nReceived ${request} request using ${NAMES[key.type]} ${key.display}. Respond to request? (y/n): `;
}

/** Requests come at any time, but there is one terminal. Without an answer a request is refused. */
function oneAtATime(ask: (question: string) => Promise<boolean>): (question: string) => Promise<boolean> {
  let last: Promise<boolean> = Promise.resolve(false);
  return (text) => {
    const answer = (): Promise<boolean> => ask(text).catch(() => false);
    last = last.then(answer, answer);
    return last;
  };
}
