import { createServer as createHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../../test/support/certificates.ts";
import { client, dns, endings, receiver } from "../../../test/support/safe-client.ts";

describe("TLS", () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });

  test("accepts a certificate from a trusted authority and reports its expiry", async () => {
    const target = await receiver("127.0.0.1", 0, certificates.good);
    const { post } = client({ extraCa: [certificates.ca] });
    for (const host of ["localhost", "127.0.0.1"]) {
      const exchange = await post(`https://${host}:${target.port}/`);
      expect(exchange).toMatchObject({ status: 200, certificateUntil: new Date("2059-01-01T00:00:00Z") });
      expect(exchange.timings.tls).toBeGreaterThan(0);
    }
  });

  test.each([
    ["expired", "certificate_expired", /^It expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/],
    ["notYetValid", "certificate_not_yet_valid", /^It is valid from 20\d\d-.+ UTC\. Check the clocks/],
    ["wrongName", "certificate_wrong_name", /^It is for DNS:.+, not for localhost\.$/],
    ["selfSigned", "certificate_untrusted", /^It was issued by “.+”\. .+ MAVE_CA_FILE\.$/],
    ["unknownAuthority", "certificate_untrusted", /^It was issued by “.+”\. .+ MAVE_CA_FILE\.$/],
  ] as const)(
    "rejects a certificate with the fault %s before any byte of the request is sent, and names the fault",
    async (fault, word, note) => {
      const target = await receiver("127.0.0.1", 0, certificates[fault]);
      const { post } = client({ extraCa: [certificates.ca] });
      const exchange = await post(`https://localhost:${target.port}/`);
      expect(exchange).toMatchObject({ error: { word }, status: null, wrote: false });
      expect(exchange.note).toMatch(note);
      expect(exchange.error?.code).toMatch(/^[A-Z_]+$/);
      expect(target.requests).toBe(0);
    },
  );

  test("verifies the certificate against the URL's host", async () => {
    const target = await receiver("127.0.0.1", 0, certificates.good);
    const servers = await dns(() => ({ addresses: ["127.0.0.1"] }));
    const { post } = client({ extraCa: [certificates.ca], dnsServers: [servers.address] });
    expect(await post(`https://receiver.example.net:${target.port}/`)).toMatchObject({ status: 200 });
    expect(await post(`https://other.example.net:${target.port}/`)).toMatchObject({
      error: { word: "certificate_wrong_name" },
      note: expect.stringMatching(/, not for other\.example\.net\.$/),
    });
  });

  test("rejects a certificate issued by a private CA that is not configured as an extra CA", async () => {
    const target = await receiver("127.0.0.1", 0, certificates.good);
    expect(await client().post(`https://localhost:${target.port}/`)).toMatchObject({
      error: { word: "certificate_untrusted" },
    });
  });

  test("names a missing intermediate certificate, which only public authorities have a download address for", async () => {
    const target = await receiver("127.0.0.1", 0, certificates.leafOnly);
    const { post } = client({ extraCa: [certificates.ca] });
    expect(await post(`https://localhost:${target.port}/`)).toMatchObject({
      error: { word: "certificate_incomplete", code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
      note: "The missing certificate is that of “intermediate”.",
    });
  });

  test("identifies itself with a client certificate to a receiver that requires one", async () => {
    const { good, ca } = certificates;
    const target = await receiver("127.0.0.1", 0, { ...good, ca, requestCert: true });
    const url = `https://localhost:${target.port}/`;
    expect(await client({ extraCa: [ca], clientCertificate: good }).post(url)).toMatchObject({ status: 200 });
    expect((await client({ extraCa: [ca] }).post(url)).status).toBeNull();
    expect(target.requests).toBe(1);
  });

  test.each([
    ["TLS 1.1", "tls_too_old", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }],
    ["HTTP/2 only", "http2_only", { ALPNProtocols: ["h2"] }],
  ] as const)("names a receiver that supports %s", async (_, word, options) => {
    const target = await receiver("127.0.0.1", 0, { ...certificates.good, ...options });
    const { post } = client({ extraCa: [certificates.ca] });
    expect(await post(`https://localhost:${target.port}/`)).toMatchObject({ error: { word } });
  });

  test("names a receiver that speaks plain HTTP or HTTP/2 without TLS", async () => {
    const plain = await receiver();
    expect(await client().post(`https://localhost:${plain.port}/`)).toMatchObject({ error: { word: "tls_missing" } });
    const http2 = createHttp2();
    endings.push(() => http2.close());
    await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
    const { port } = http2.address() as AddressInfo;
    expect(await client().post(`http://localhost:${port}/`)).toMatchObject({ error: { word: "http2_only" } });
  });
});
