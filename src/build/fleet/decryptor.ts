import type { Credentials, KeyContext } from '../../secrets/keys/index.ts';
import { decrypt, type DecryptOptions } from '../../secrets/sops/index.ts';
import type { Decryptor } from './types.ts';

/** The decryptor that opens SOPS documents with these credentials. The MAC is checked for pristine documents. */
export function sopsDecryptor(credentials: Credentials, context: KeyContext & Pick<DecryptOptions, 'dataKeys'>): Decryptor {
  return {
    decrypt: async ({ bytes, format, outputFormat, file, pristine }) => {
      const opened = await decrypt(bytes, {
        ...context,
        credentials,
        format,
        ignoreMac: !pristine,
        ...(outputFormat === undefined ? {} : { outputFormat }),
        ...(file === undefined ? {} : { file }),
      });
      return opened.bytes;
    },
  };
}
