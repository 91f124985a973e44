import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeCertificates } from "../../../test/support/certificates.ts";
import { loadCertificates } from "./certificates.ts";

const folder = await mkdtemp(join(tmpdir(), "mave-certificates-"));
afterAll(() => rm(folder, { recursive: true }));
const { ca, good, endsSoon } = makeCertificates();

/** Writes a file. @returns its path */
async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe("the certificate settings", () => {
  test("load every authority in the file, and a client certificate with its key", async () => {
    const loaded = await loadCertificates({
      MAVE_CA_FILE: await file("ca.pem", `# ours\n${ca}\n${ca}`),
      MAVE_CLIENT_CERT_FILE: await file("client.pem", good.cert),
      MAVE_CLIENT_KEY_FILE: await file("client-key.pem", good.key),
    });
    expect(loaded.extraCa).toHaveLength(2);
    expect(loaded.clientCertificate!.cert).toContain("BEGIN CERTIFICATE");
    expect(await loadCertificates({})).toEqual({ extraCa: undefined, clientCertificate: undefined });
  });

  test.each<[string, () => Promise<Record<string, string>>, RegExp]>([
    [
      "a file that does not exist",
      async () => ({ MAVE_CA_FILE: "/nowhere.pem" }),
      /^MAVE_CA_FILE: \/nowhere\.pem cannot/,
    ],
    [
      "a file without a certificate",
      async () => ({ MAVE_CA_FILE: await file("k.pem", good.key) }),
      /no PEM certificate/,
    ],
    ["a certificate without its key", async () => ({ MAVE_CLIENT_CERT_FILE: "/c.pem" }), /^Set both/],
    [
      "a key of another certificate",
      async () => ({
        MAVE_CLIENT_CERT_FILE: await file("c.pem", good.cert),
        MAVE_CLIENT_KEY_FILE: await file("other.pem", endsSoon.key),
      }),
      /other\.pem is not the key of the certificate in .+c\.pem\.$/,
    ],
  ])("reject %s at startup, and name the setting", async (_, files, message) => {
    await expect(loadCertificates(await files())).rejects.toThrow(message);
  });
});
