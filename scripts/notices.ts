/** Writes dist/THIRD-PARTY-NOTICES.txt and dist/sbom.cdx.json (CycloneDX) from the lock file and the installed packages. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

interface LockEntry {
  readonly version: string;
  readonly dev?: boolean;
  readonly license?: string;
  readonly integrity?: string;
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly integrity: string | undefined;
  readonly text: string;
}

/** Packages that ship or are installed with Sotto, in order of name. */
function shippedPackages(root: string): Package[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, LockEntry> };
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true && existsSync(join(root, path)))
    .map(([path, entry]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      licence: entry.license ?? 'unknown',
      integrity: entry.integrity,
      text: licenceText(join(root, path)),
    }))
    .toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function licenceText(folder: string): string {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying|notice)/i.test(basename(name)));
  return file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
}

/** Writes both files into `dist`. */
export function writeNotices(root: string, dist: string): void {
  const packages = shippedPackages(root);
  const sections = packages.map(({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text}\n`);
  writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), sections.join(`\n${'-'.repeat(78)}\n\n`));
  const components = packages.map(({ name, version, licence, integrity }) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [{ expression: licence }],
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
  }));
  writeFileSync(
    join(dist, 'sbom.cdx.json'),
    `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components }, null, 1)}\n`,
  );
}

/** `sha512-<base64>` of the lock file as CycloneDX has it. */
function hashOf(integrity: string): { alg: string; content: string } {
  const [algorithm = '', digest = ''] = integrity.split('-');
  return { alg: algorithm.toUpperCase().replace('SHA', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}
