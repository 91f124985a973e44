import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, openBrowser, visitAsOwner } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { apiOf } from "./api.ts";
import { startReceiver } from "./receiver.ts";

const FIRST_LOAD_BYTES = 200_000;
const LONG = `A long name ${"that goes on ".repeat(14)}`.trim();

describe.skipIf(without("chromium"))("every page of the dashboard", { timeout: 90_000 }, async () => {
  const browser = await openBrowser();
  const receiver = await startReceiver();
  let server: TestServer;
  const ids = { webhook: "", delivery: "", event: "" };
  beforeAll(async () => {
    server = await startServer();
    const api = apiOf(server, await server.key());
    receiver.response = { status: 503, body: '{"error":"upstream"}', headers: { "content-type": "application/json" } };
    ids.webhook = (await api.webhook(receiver.url, LONG)).id;
    await api.webhook("http://127.0.0.1:1024/", "Nobody listens");
    await api.patch(`/v1/webhooks/${(await api.webhook(`${receiver.url}/p`, "Paused one")).id}`, { status: "paused" });
    for (const name of [LONG, "Short", "Harbour at dawn"]) await api.video(name);
    await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(3));
    ids.delivery = (await api.get(`/v1/deliveries?webhook=${ids.webhook}`)).data[0]!.id;
    ids.event = await eventually(async () => (await api.get("/v1/events?order=desc")).data[0]!.id);
  });
  afterAll(() => server?.remove());

  /** The pages, each with text that appears once the page has loaded. */
  const pages = (): [path: string, text: string][] => [
    ["webhooks", "Nobody listens"],
    ["webhooks/new", "video.created"],
    [`webhooks/${ids.webhook}`, "Every attempt has failed"],
    [`webhooks/${ids.webhook}/edit`, "Send a test"],
    ["deliveries", "video.created"],
    [`deliveries/${ids.delivery}`, "First byte"],
    ["events", "video.created"],
    [`events/${ids.event}`, "Payload"],
    ["replays", "No replays yet"],
    ["replays/new", "Never sent"],
    ["debugger", "Use an example"],
    ["audit-log", "from which IP address"],
  ];

  for (const colorScheme of ["light", "dark"] as const) {
    test(`is accessible and fits every width in the ${colorScheme} theme`, { timeout: 180_000 }, async () => {
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const [path, text] of pages()) {
        await page.goto(`/dashboard/${path}`);
        for (const width of [390, 820, 1024, 1440, 1920]) {
          await page.setViewportSize({ width, height: 900 });
          await page.getByText(text).locator("visible=true").first().waitFor();
          await expectNoSidewaysScroll(page);
          expect(await page.evaluate<string[]>(WRAPPED), `${path} at ${width}`).toEqual([]);
          if (width === 1440 || (width === 390 && colorScheme === "light")) await expectAccessible(page);
        }
      }
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }

  test("initially loads at most 200 kB, gzipped", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    for (const path of ["videos", "webhooks", "webhooks/new", "deliveries", "events"]) {
      await page.goto(`/dashboard/${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expect.poll(() => page.evaluate(IS_IDLE)).toBe(true);
      const files = await page.evaluate<string[]>(FETCHED);
      const sizes = await Promise.all(files.map(gzipped));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(total, `${path}: ${files.map((file, at) => `${file} ${sizes[at]}`).join("\n")}`).toBeLessThanOrEqual(
        FIRST_LOAD_BYTES,
      );
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("allows only the dashboard's own scripts", async () => {
    const { headers } = await fetch(`${server.url}/dashboard/webhooks`);
    const policy = headers.get("content-security-policy") ?? "";
    const scripts = policy.split(";").find((part) => part.trim().startsWith("script-src"));
    expect(scripts?.trim()).toBe("script-src 'self'");
    expect(policy).toContain("default-src 'none'");
  });
});

// Finds column headings that wrap because their column has collapsed.
const WRAPPED = `[...document.querySelectorAll("th")]
  .filter((head) => head.offsetHeight > 48)
  .map((head) => head.innerText)`;

const IS_IDLE = `performance.getEntriesByName("first-idle").length > 0`;

// Finds the dashboard files loaded before the page was idle, and all fonts. Dialogs, menus and toasts load later.
const FETCHED = `performance.getEntriesByType("resource")
  .filter((entry) => entry.startTime < performance.getEntriesByName("first-idle")[0].startTime || entry.name.endsWith(".woff2"))
  .map((entry) => new URL(entry.name).pathname)
  .filter((path) => path.startsWith("/dashboard/"))`;

/** Returns a file's transfer size. Fonts are already compressed. */
async function gzipped(path: string): Promise<number> {
  const file = fileURLToPath(new URL(`../../dashboard/dist${path.replace("/dashboard", "")}`, import.meta.url));
  const bytes = await readFile(file);
  return file.endsWith(".woff2") ? bytes.length : gzipSync(bytes, { level: 9 }).length;
}
