import { SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { masterKeyOf, type MasterKey } from '../../secrets/keys/index.ts';
import { encrypt, keysOfText, matchCreationRule, ruleKeys, type CreationRule, type SelectionRule } from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';
import { indentFor, loadConfig } from './config.ts';
import { conflict, readInput, streamsOf, writeResult } from './files.ts';
import { KEY_FLAGS, SELECTION_FLAGS } from './usage.ts';

/** `sops encrypt`: reads all, decides all, writes once. */
export async function encryptCommand(args: Arguments, world: World, entropy: Entropy, warn: (message: string) => void): Promise<void> {
  const streams = streamsOf(args, world);
  if (streams.path === undefined && args.text('filename-override') === undefined)
    throw conflict('must specify --filename-override when reading from stdin');
  const bytes = await readInput(streams.path, world);
  const config = await loadConfig(args, world, warn);
  const rule = config === undefined ? undefined : matchCreationRule(config, streams.name, world.cwd);
  const indent = indentFor(streams.output, args, config);
  const encrypted = await encrypt(bytes, {
    world,
    entropy,
    warn,
    format: streams.input,
    outputFormat: streams.output,
    groups: groupsOf(args, world, rule),
    shamirThreshold: threshold(args) ?? rule?.shamirThreshold ?? 0,
    selection: selectionOf(args, rule),
    macOnlyEncrypted: args.has('mac-only-encrypted') || rule?.macOnlyEncrypted === true,
    file: streams.name,
    ...(indent === undefined ? {} : { indent }),
  });
  await writeResult(encrypted, args, streams, world, false);
}

/** Keys of flags and variables replace those of the configuration. */
function groupsOf(args: Arguments, world: World, rule: CreationRule | undefined): MasterKey[][] {
  if (args.text('encryption-context') !== undefined)
    throw new SottoError('KEY_TYPE_UNSUPPORTED', '--encryption-context: AWS KMS keys are not supported yet');
  const given = KEY_FLAGS.flatMap(({ flag, type, variable }) => keysOfText(type, args.text(flag) ?? world.env[variable] ?? ''));
  if (given.length > 0) return [given.map(({ type, fields }) => masterKeyOf(type, fields))];
  if (rule !== undefined) return ruleKeys(rule);
  throw new SottoError(
    'SOPS_NO_KEYS',
    'config file not found, or has no creation rules, and no keys provided through command line options',
    {
      hint: 'name a recipient with --age, or write a .sops.yaml',
    },
  );
}

function threshold(args: Arguments): number | undefined {
  const text = args.text('shamir-secret-sharing-threshold');
  if (text === undefined) return undefined;
  if (!/^\d{1,3}$/.test(text)) throw new SottoError('USAGE', '--shamir-secret-sharing-threshold: expected a number');
  return Number(text);
}

/** A flag overrides the same field of the rule; a flag beside another field is a conflict. */
function selectionOf(args: Arguments, rule: CreationRule | undefined): SelectionRule {
  const flags = SELECTION_FLAGS.flatMap(([flag, property]) => {
    const value = args.text(flag);
    return value === undefined || value === '' ? [] : [[property, value] as const];
  });
  const selection: SelectionRule = { ...rule?.selection, ...Object.fromEntries(flags) };
  if (Object.values(selection).filter((value) => value !== '').length > 1) {
    throw conflict(`cannot use more than one of ${SELECTION_FLAGS.map(([flag]) => flag.replaceAll('-', '_')).join(', ')} in the same file`);
  }
  return selection;
}
