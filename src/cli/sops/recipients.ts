import { SottoError } from '../../base/errors/index.ts';
import type { KeyFields, MasterKey } from '../../secrets/keys/index.ts';
import {
  keysOfText,
  keyWithFields,
  ruleKeys,
  type ConfiguredKey,
  type CreationRule,
  type EncryptOptions,
  type SelectionRule,
} from '../../secrets/sops/index.ts';
import type { SopsFace } from './face.ts';
import { conflict } from './files.ts';
import { KEY_FLAGS, SELECTION_FLAGS } from './usage.ts';

/** Keys of flags and variables replace those of the configuration. @throws SottoError SOPS_NO_KEYS, SOPS_CONTEXT_INVALID */
function groupsOf(face: SopsFace, rule: CreationRule | undefined): MasterKey[][] {
  const { args, world } = face;
  const context = encryptionContext(face);
  const given = KEY_FLAGS.flatMap(({ flag, type, variable }) => keysOfText(type, args.text(flag) ?? world.env[variable] ?? ''));
  if (given.length > 0) return [given.map((key) => keyFor(key, context, args.text('aws-profile')))];
  if (rule !== undefined) return ruleKeys(rule);
  throw new SottoError(
    'SOPS_NO_KEYS',
    'config file not found, or has no creation rules, and no keys provided through command line options',
    {
      hint: 'name a recipient with --age, or write a .sops.yaml',
    },
  );
}

/** The keys of flags such as `--add-age` or the repeatable ones of `groups add`. */
export function keysOfFlags(face: SopsFace, prefix: '' | 'add-' | 'rm-'): MasterKey[] {
  const context = encryptionContext(face);
  // only the groups command declares a profile here
  const profile = prefix === '' ? face.args.text('aws-profile') : undefined;
  return KEY_FLAGS.flatMap(({ flag, type }) =>
    face.args.list(`${prefix}${flag}`).flatMap((text) => keysOfText(type, text).map((key) => keyFor(key, context, profile))),
  );
}

function keyFor({ type, fields }: ConfiguredKey, context: Readonly<Record<string, string>>, profile = ''): MasterKey {
  const extra: KeyFields = type === 'kms' ? { ...(Object.keys(context).length === 0 ? {} : { context }), aws_profile: profile } : {};
  return keyWithFields(type, { ...fields, ...extra });
}

/** @throws SottoError SOPS_CONTEXT_INVALID */
function encryptionContext({ args }: SopsFace): Readonly<Record<string, string>> {
  const text = args.text('encryption-context') ?? '';
  const pairs = text === '' ? [] : text.split(',');
  return Object.fromEntries(
    pairs.map((pair) => {
      const colon = pair.indexOf(':');
      if (colon <= 0 || pair.includes(':', colon + 1))
        throw new SottoError('SOPS_CONTEXT_INVALID', 'invalid KMS encryption context format', { hint: 'write key1:value1,key2:value2' });
      return [pair.slice(0, colon), pair.slice(colon + 1)] as const;
    }),
  );
}

/** @throws SottoError USAGE */
export function thresholdOf({ args }: SopsFace): number | undefined {
  const text = args.text('shamir-secret-sharing-threshold');
  if (text === undefined) return undefined;
  if (!/^\d{1,3}$/.test(text)) throw new SottoError('USAGE', '--shamir-secret-sharing-threshold: expected a number');
  return Number(text);
}

/** A flag overrides the same field of the rule; a flag beside another field is a conflict. */
function selectionOf({ args }: SopsFace, rule: CreationRule | undefined): SelectionRule {
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

/** What a new file gets from flags, variables and the rule that matches it. */
export function newFileOptions(
  face: SopsFace,
  rule: CreationRule | undefined,
): Pick<EncryptOptions, 'groups' | 'shamirThreshold' | 'selection' | 'macOnlyEncrypted'> {
  return {
    groups: groupsOf(face, rule),
    shamirThreshold: thresholdOf(face) ?? rule?.shamirThreshold ?? 0,
    selection: selectionOf(face, rule),
    macOnlyEncrypted: face.args.has('mac-only-encrypted') || rule?.macOnlyEncrypted === true,
  };
}
