import { formatForPath, isEncrypted, type SopsFormat } from '../../secrets/sops/index.ts';

/** The format that a file or key name stands for; binary when it says nothing. Flux also knows pull secrets. */
export function formatOf(name: string): SopsFormat {
  return name.endsWith('.dockerconfigjson') ? 'json' : formatForPath(name);
}

/**
 * The format of an encrypted document of unknown format. Several markers can occur in one text; upstream then takes
 * any, we the first that the structure fits.
 */
export function detectFormat(bytes: Uint8Array): SopsFormat | undefined {
  const text = new TextDecoder().decode(bytes);
  return (['dotenv', 'ini', 'yaml', 'json', 'binary'] as const).find((format) => isEncrypted(bytes, format) && FITS[format](text));
}

const FITS: Readonly<Record<SopsFormat, (text: string) => boolean>> = {
  dotenv: (text) => /^sops_mac=ENC\[/m.test(text),
  ini: (text) => /^\[sops\]\s*$/m.test(text) && /^mac\s*=\s*ENC\[/m.test(text),
  yaml: (text) => /^sops:\s*$/m.test(text) && /^\s+mac: ENC\[/m.test(text),
  json: (text) => jsonKeys(text)?.some((key) => key !== 'sops' && key !== 'data') === true,
  binary: (text) => jsonKeys(text)?.includes('data') === true,
};

function jsonKeys(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.keys(value) : undefined;
  } catch {
    return undefined; // no JSON, so none of the two formats
  }
}
