import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  key: string;
  cert: string;
}

export interface Certificates {
  /** The authority's certificate, for clients that should trust it. */
  ca: string;
  good: Certificate;
  /** A certificate that expires in ten and a half days. */
  endsSoon: Certificate;
  expired: Certificate;
  notYetValid: Certificate;
  wrongName: Certificate;
  selfSigned: Certificate;
  /** A certificate signed by an untrusted authority. */
  unknownAuthority: Certificate;
  /** A certificate that says where to find its issuer's certificate, which is missing. */
  leafOnly: Certificate;
}

const AUTHORITY = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = optional
`;

/**
 * Uses openssl to create a certificate authority, plus valid and invalid certificates for `localhost`, 127.0.0.1 and
 * ::1.
 */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "mave-certificates-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const root = (name: string) =>
    openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "3650",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
    );
  const leaf = (
    name: string,
    authority: string,
    names: string,
    from: string,
    until: string,
    extensions: string[] = [],
  ): Certificate => {
    openssl(
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      `/CN=${name}`,
      "-addext",
      `subjectAltName=${names}`,
      ...extensions.flatMap((extension) => ["-addext", extension]),
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
    );
    openssl(
      "ca",
      "-config",
      "ca.cnf",
      "-batch",
      "-notext",
      "-cert",
      `${authority}.pem`,
      "-keyfile",
      `${authority}.key`,
      "-startdate",
      from,
      "-enddate",
      until,
      "-in",
      `${name}.csr`,
      "-out",
      `${name}.pem`,
    );
    return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
  };
  const here = "DNS:localhost,DNS:receiver.example.net,IP:127.0.0.1,IP:::1";
  const soon = new Date(Date.now() + 10.5 * 86_400_000);
  const [past, now, future] = ["20200101000000Z", "20250101000000Z", "20600101000000Z"];
  try {
    writeFileSync(join(folder, "ca.cnf"), AUTHORITY);
    writeFileSync(join(folder, "index.txt"), "");
    root("authority");
    root("stranger");
    root("self");
    root("intermediate");
    return {
      ca: read("authority.pem"),
      good: leaf("good", "authority", here, now, "20590101000000Z"),
      endsSoon: leaf("soon", "authority", here, now, opensslTime(soon)),
      expired: leaf("expired", "authority", here, past, now),
      notYetValid: leaf("future", "authority", here, "20590101000000Z", future),
      wrongName: leaf("elsewhere", "authority", "DNS:elsewhere.example.net", now, future),
      selfSigned: { key: read("self.key"), cert: read("self.pem") },
      unknownAuthority: leaf("strange", "stranger", here, now, future),
      leafOnly: leaf("alone", "intermediate", here, now, future, [
        "authorityInfoAccess=caIssuers;URI:http://authority.example/intermediate.crt",
      ]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Formats a time for `openssl ca`: YYYYMMDDHHMMSSZ. */
const opensslTime = (time: Date): string => time.toISOString().replace(/\.\d+|[-:T]/g, "");
