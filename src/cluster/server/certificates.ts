import { readFile } from 'node:fs/promises';
import { X509Certificate, type webcrypto } from 'node:crypto';
import { join } from 'node:path';
import type * as X509 from '@peculiar/x509';

import { makePrivateDirectory, writePrivateFile } from '../../base/files/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** A kept server certificate is renewed at start when it has less than this left. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Clocks of clients may be a little behind. */
const BACKDATE_MS = 60 * 60_000;
const SERIAL_BYTES = 16;

const SERVER_NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
const SERVER_ADDRESSES = ['127.0.0.1', '::1'];

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** The cluster's own certificate authority and the server certificate it issued. */
export interface Certificates {
  readonly authority: KeyPair;
  readonly server: KeyPair;
  /** A client certificate: the user is its common name, groups are its organisations (AUTHN-01). */
  issueClient(username: string, groups: readonly string[]): Promise<KeyPair>;
}

interface Issuer {
  /** Loads the library, which kept certificates don't need. */
  readonly library: () => Promise<typeof X509>;
  readonly world: World;
  readonly entropy: Entropy;
}

/**
 * The certificates of a cluster: fresh ones, or those kept in `folder` (0600 files in a 0700 folder). The CA stays
 * the same as long as the folder does.
 *
 * @throws SottoError CLUSTER_CERTIFICATES_UNREADABLE when kept files are damaged
 */
export async function loadCertificates(options: { world: World; entropy: Entropy; folder?: string }): Promise<Certificates> {
  const { world, entropy, folder } = options;
  const issuer: Issuer = { world, entropy, library: loadLibrary };
  const kept = folder === undefined ? undefined : await readKept(world, folder, 'ca');
  const authority = kept ?? (await issueAuthority(issuer));
  const keptServer = kept === undefined || folder === undefined ? undefined : await readKept(world, folder, 'server');
  const isUsable = keptServer !== undefined && isFresh(world, keptServer, authority);
  const server = isUsable ? keptServer : await issueServer(issuer, authority);
  if (folder !== undefined) {
    if (kept === undefined) await keep(world, folder, 'ca', authority);
    if (!isUsable) await keep(world, folder, 'server', server);
  }
  return { authority, server, issueClient: (username, groups) => issueClient(issuer, authority, username, groups) };
}

async function loadLibrary(): Promise<typeof X509> {
  // The library's dependency injection wants this polyfill first.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function fileNames(folder: string, name: string): { certificate: string; key: string } {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

async function readKept(world: World, folder: string, name: string): Promise<KeyPair | undefined> {
  const files = fileNames(folder, name);
  const read = (path: string): Promise<string | undefined> =>
    readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unreadable(path, error);
    });
  const [certificate, key] = await world.outside(() => Promise.all([read(files.certificate), read(files.key)]));
  if (certificate === undefined || key === undefined) return undefined;
  try {
    return { certificate: new X509Certificate(certificate).toString(), key };
  } catch (cause) {
    throw unreadable(files.certificate, cause);
  }
}

function unreadable(path: string, cause: unknown): SottoError {
  return new SottoError('CLUSTER_CERTIFICATES_UNREADABLE', `the certificate file ${path} cannot be read`, {
    hint: 'restore it, or remove the pki folder to get a new certificate authority',
    cause,
  });
}

async function keep(world: World, folder: string, name: string, pair: KeyPair): Promise<void> {
  const files = fileNames(folder, name);
  await world.outside(async () => {
    await makePrivateDirectory(folder);
    await writePrivateFile(files.key, pair.key);
    await writePrivateFile(files.certificate, pair.certificate);
  });
}

function isFresh(world: World, server: KeyPair, authority: KeyPair): boolean {
  const certificate = new X509Certificate(server.certificate);
  const issuer = new X509Certificate(authority.certificate);
  return (
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey) &&
    Date.parse(certificate.validTo) - world.clock.now() > RENEW_BEFORE_MS
  );
}

async function issueAuthority(issuer: Issuer): Promise<KeyPair> {
  const { world } = issuer;
  const x509 = await issuer.library();
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectKeyIdentifierExtension } = x509;
  const keys = await generateKeys(world);
  const certificate = await world.outside(async () =>
    x509.X509CertificateGenerator.createSelfSigned({
      ...validity(issuer, CA_DAYS),
      name: 'CN=sotto-cluster-ca',
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    }),
  );
  return exportPair(world, certificate, keys.privateKey);
}

async function issueServer(issuer: Issuer, authority: KeyPair): Promise<KeyPair> {
  const { SubjectAlternativeNameExtension, ExtendedKeyUsage } = await issuer.library();
  const names = [
    ...SERVER_NAMES.map((value) => ({ type: 'dns' as const, value })),
    ...SERVER_ADDRESSES.map((value) => ({ type: 'ip' as const, value })),
  ];
  const subject = [{ CN: ['kube-apiserver'] }];
  return issueLeaf(issuer, authority, subject, [new SubjectAlternativeNameExtension(names)], ExtendedKeyUsage.serverAuth);
}

async function issueClient(issuer: Issuer, authority: KeyPair, username: string, groups: readonly string[]): Promise<KeyPair> {
  const { ExtendedKeyUsage } = await issuer.library();
  const subject = [...groups.map((group) => ({ O: [group] })), { CN: [username] }];
  return issueLeaf(issuer, authority, subject, [], ExtendedKeyUsage.clientAuth);
}

async function issueLeaf(
  issuer: Issuer,
  authority: KeyPair,
  subject: X509.JsonName,
  extensions: readonly X509.Extension[],
  usage: X509.ExtendedKeyUsageType,
): Promise<KeyPair> {
  const { world } = issuer;
  const x509 = await issuer.library();
  const { BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension } = x509;
  const keys = await generateKeys(world);
  const parent = new x509.X509Certificate(authority.certificate);
  const certificate = await world.outside(async () => {
    const signingKey = await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(authority.key), ALGORITHM, false, ['sign']);
    return x509.X509CertificateGenerator.create({
      ...validity(issuer, LEAF_DAYS),
      subject,
      issuer: parent.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        ...extensions,
      ],
    });
  });
  return exportPair(world, certificate, keys.privateKey);
}

function generateKeys(world: World): Promise<webcrypto.CryptoKeyPair> {
  return world.outside(() => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']));
}

function validity({ world, entropy }: Issuer, days: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = world.clock.now();
  const serial = entropy.bytes(SERIAL_BYTES);
  // A positive number without leading zeros.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return {
    serialNumber: Buffer.from(serial).toString('hex'),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + days * DAY_MS),
  };
}

async function exportPair(world: World, certificate: X509.X509Certificate, key: webcrypto.CryptoKey): Promise<KeyPair> {
  const pkcs8 = await world.outside(() => crypto.subtle.exportKey('pkcs8', key));
  const base64 = Buffer.from(pkcs8)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return { certificate: `${certificate.toString('pem')}\n`, key: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n` };
}
