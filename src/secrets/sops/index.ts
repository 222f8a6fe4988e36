/**
 * SOPS documents: decrypt and encrypt bytes in YAML, JSON, dotenv, INI and binary form.
 *
 * @module
 */
export type { DecryptOptions, Decrypted, EncryptOptions, SopsFormat } from './types.ts';
