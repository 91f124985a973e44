import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { StartFailure } from "../kernel/start-failure.ts";

interface CertificateFiles {
  MAVE_CA_FILE?: string;
  MAVE_CLIENT_CERT_FILE?: string;
  MAVE_CLIENT_KEY_FILE?: string;
}

export interface CertificateSettings {
  /** PEM certificates of private authorities that receivers may use; undefined if there are none. */
  extraCa: string[] | undefined;
  /** With which this server identifies itself to receivers that ask for a certificate. */
  clientCertificate: { cert: string; key: string } | undefined;
}

/** Reads and checks the certificates for connections to receivers. @throws StartFailure that names the setting */
export async function loadCertificates(files: CertificateFiles): Promise<CertificateSettings> {
  const { MAVE_CA_FILE: ca, MAVE_CLIENT_CERT_FILE: cert, MAVE_CLIENT_KEY_FILE: key } = files;
  if ((cert === undefined) !== (key === undefined))
    throw new StartFailure("Set both MAVE_CLIENT_CERT_FILE and MAVE_CLIENT_KEY_FILE, or neither of them.");
  return {
    extraCa: ca === undefined ? undefined : await readCertificates("MAVE_CA_FILE", ca),
    clientCertificate: cert === undefined ? undefined : await readPair(cert, key!),
  };
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

async function readCertificates(setting: string, file: string): Promise<string[]> {
  const found = (await read(setting, file)).match(PEM) ?? [];
  if (found.length === 0) throw new StartFailure(`${setting}: ${file} contains no PEM certificate.`);
  for (const pem of found) parse(setting, file, () => new X509Certificate(pem));
  return found;
}

async function readPair(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  const chain = await readCertificates("MAVE_CLIENT_CERT_FILE", certFile);
  const key = await read("MAVE_CLIENT_KEY_FILE", keyFile);
  const parsed = parse("MAVE_CLIENT_KEY_FILE", keyFile, () => createPrivateKey(key));
  if (!new X509Certificate(chain[0]!).checkPrivateKey(parsed))
    throw new StartFailure(`MAVE_CLIENT_KEY_FILE: ${keyFile} is not the key of the certificate in ${certFile}.`);
  return { cert: chain.join("\n"), key };
}

async function read(setting: string, file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: Error) => {
    throw new StartFailure(`${setting}: ${file} cannot be read (${cause.message}).`, { cause });
  });
}

function parse<Result>(setting: string, file: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new StartFailure(`${setting}: ${file} is not valid (${(cause as Error).message}).`, { cause });
  }
}
