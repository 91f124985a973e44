/** A receiver's certificate that ends soon: from the connection that the engine made to what a person reads. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectFitsEverywhere, openBrowser, visitAsOwner } from "../support/browser.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { apiOf } from "./api.ts";
import { startTlsReceiver, type TlsReceiver } from "./receiver.ts";

// The page reads health at most every five seconds, the server writes it down every two; the rest is for busy machines.
const SEEN = { timeout: 30_000 };
const ENDS = /^Its certificate ends in 10\sdays, on \d{1,2}\s\w+\s\d{4}\./;
const ADVICE = /Renew it where the receiver runs; after that day attempts fail with “Certificate refused”\./;

// Without a browser, or openssl to make certificates, npm test says so and leaves these out.
describe.skipIf(without("chromium") || without("openssl"))("a certificate that ends in ten days", async () => {
  const browser = await openBrowser();
  let certificates: Certificates;
  let receiver: TlsReceiver;
  let server: TestServer;
  let api: ReturnType<typeof apiOf>;
  let webhook: string;
  let folder: string;
  beforeAll(async () => {
    certificates = makeCertificates();
    folder = await mkdtemp(join(tmpdir(), "mave-authority-"));
    await writeFile(join(folder, "authority.pem"), certificates.ca);
    receiver = await startTlsReceiver(certificates.endsSoon);
    server = await startServer({ NODE_EXTRA_CA_CERTS: join(folder, "authority.pem") });
    api = apiOf(server, await server.key());
    webhook = (await api.webhook(receiver.url, "Course catalogue")).id;
  }, 120_000);
  afterAll(async () => {
    await server?.remove();
    if (folder) await rm(folder, { recursive: true });
  });

  test("is told of by itself once a delivery saw it, and no longer once one saw its successor", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${webhook}`);
    const main = page.getByRole("main");
    const certificate = main.locator("dt", { hasText: "Certificate" }).locator("+ dd");
    await main.getByText("Enabled").first().waitFor();
    expect(await certificate.count()).toBe(0);

    await api.video("Autumn lecture 1");
    await main.getByText(ENDS).waitFor(SEEN);
    await main.getByText(ADVICE).waitFor();
    await expect.poll(() => certificate.innerText()).toMatch(/^until \d{1,2}\s\w+\s\d{4}, in 10\sdays$/);
    await main.getByText("Enabled").first().waitFor(); // nothing has failed: it is a warning, no state

    receiver.renew(certificates.good);
    await api.video("Autumn lecture 2");
    await expect.poll(() => certificate.innerText(), SEEN).toMatch(/^until 1\sJan\s2059$/);
    await main.getByText(ENDS).waitFor({ state: "detached" });
    expect(receiver.received.length).toBeGreaterThanOrEqual(2);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);

  test.each(["light", "dark"] as const)(
    "is told of in the list too, from phone to wide: %s",
    async (colorScheme) => {
      receiver.renew(certificates.endsSoon);
      await api.video("Autumn lecture 3");
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const path of ["webhooks", `webhooks/${webhook}`]) {
        await page.goto(`/dashboard/${path}`);
        await page.getByRole("main").getByText(ENDS).waitFor(SEEN);
        await page.getByRole("main").getByText(ADVICE).waitFor();
        await expectFitsEverywhere(page);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    },
    120_000,
  );
});
