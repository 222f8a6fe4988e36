/** Certificates for tests, made when they run. */
import { webcrypto } from 'node:crypto';

type KeyPair = webcrypto.CryptoKeyPair;

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** An authority, a server certificate for 127.0.0.1 and a client certificate, both issued by it. */
export async function testCertificates(): Promise<{ authority: TestCertificate; server: TestCertificate; client: TestCertificate }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const crypto = webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0];
  x509.cryptoProvider.set(crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const newKeys = (): Promise<KeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [notBefore, notAfter] = [new Date('2020-01-01'), new Date('2049-01-01')];
  const keyText = async (keys: KeyPair): Promise<string> => {
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
  };
  const rootKeys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Sotto test authority',
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys: rootKeys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (serialNumber: string, subject: string): Promise<TestCertificate> => {
    const keys = await newKeys();
    const issued = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject,
      issuer: root.subject,
      notBefore,
      notAfter,
      signingKey: rootKeys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    });
    return { certificate: `${issued.toString('pem')}\n`, key: await keyText(keys) };
  };
  return {
    authority: { certificate: `${root.toString('pem')}\n`, key: await keyText(rootKeys) },
    server: await issue('02', 'CN=127.0.0.1'),
    client: await issue('03', 'CN=client'),
  };
}
