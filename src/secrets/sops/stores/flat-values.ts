import { SottoError } from '../../../base/errors/index.ts';
import { formatFloatEnv } from '../numbers.ts';
import { timeInSeconds } from '../times.ts';
import { describeKind, type SopsValue } from '../tree.ts';

const encoder = new TextEncoder();

/**
 * A value as dotenv, INI and environment variables have it: bytes, because a string may be no UTF-8.
 *
 * @throws SottoError SOPS_EMIT for maps and lists
 */
export function flatValue(value: SopsValue, where: string, warn: (message: string) => void): Uint8Array {
  switch (value.kind) {
    case 'str':
      return value.bytes;
    case 'int':
    case 'bool':
      return encoder.encode(String(value.value));
    case 'float':
      return encoder.encode(formatFloatEnv(value.value));
    case 'time':
      return encoder.encode(timeInSeconds(value.text) ?? value.text);
    case 'null':
      warn(`${where}: null is written as an empty value`);
      return new Uint8Array();
    default:
      throw new SottoError('SOPS_EMIT', `${where}: cannot use complex value in flat file: it is a ${describeKind(value)}`);
  }
}
