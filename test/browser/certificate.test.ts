/** Tests the warning about an expiring receiver certificate, from a delivery's TLS connection to the dashboard. */
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

// The server writes webhook health every two seconds, and the page picks it up within another five. The rest of the
// timeout is slack.
const SEEN = { timeout: 30_000 };
const EXPIRES = /^The receiver's TLS certificate expires in 10\sdays, on .+\d{4}\./;
const ADVICE = /Renew it on the receiver\. Once it has expired, attempts fail with “Certificate expired”\./;

describe.skipIf(without("chromium") || without("openssl"))("a certificate that expires in ten days", async () => {
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

  test("causes a warning until a delivery sees the renewed certificate", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${webhook}`);
    const main = page.getByRole("main");
    const certificate = main.locator("dt", { hasText: "Certificate" }).locator("+ dd");
    await main.getByText("Enabled").first().waitFor();
    expect(await certificate.count()).toBe(0);

    await api.video("Autumn lecture 1");
    await main.getByText(EXPIRES).waitFor(SEEN);
    await main.getByText(ADVICE).waitFor();
    await expect.poll(() => certificate.innerText()).toMatch(/^expires .+\d{4}, in 10\sdays$/);
    await main.getByText("Enabled").first().waitFor(); // a warning does not change the status

    receiver.renew(certificates.good);
    await api.video("Autumn lecture 2");
    await expect.poll(() => certificate.innerText(), SEEN).toMatch(/^expires .+2059$/);
    await main.getByText(EXPIRES).waitFor({ state: "detached" });
    expect(receiver.received.length).toBeGreaterThanOrEqual(2);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);

  test.each(["light", "dark"] as const)(
    "causes a warning in the webhook list and on the webhook page, at every width in the %s theme",
    async (colorScheme) => {
      receiver.renew(certificates.endsSoon);
      await api.video("Autumn lecture 3");
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const path of ["webhooks", `webhooks/${webhook}`]) {
        await page.goto(`/dashboard/${path}`);
        await page.getByRole("main").getByText(EXPIRES).waitFor(SEEN);
        await page.getByRole("main").getByText(ADVICE).waitFor();
        await expectFitsEverywhere(page);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    },
    120_000,
  );
});
