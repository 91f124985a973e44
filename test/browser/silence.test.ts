/**
 * Tests a change stream that goes silent but stays open. The browser reports no error in this case, so the page has to
 * detect the silence itself.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { apiOf } from "./api.ts";
import { startReceiver } from "./receiver.ts";

/** Must match dashboard/src/live/changes.ts, where it is two heartbeat intervals plus some slack. */
const SILENT_MS = 40_000;
/** The interval between heartbeats. One interval is well below SILENT_MS; three are above it. */
const QUIET_MS = 15_000;
/**
 * Longer than one reconnection attempt, which waits five seconds for a response, plus the three-second pause after it.
 */
const TRY_MS = 10_000;
const SEEN = { timeout: 60_000 };

describe.skipIf(without("chromium"))("a silent change stream", { timeout: 180_000 }, async () => {
  const browser = await openBrowser();
  const receiver = await startReceiver();
  let server: TestServer;
  let proxy: TcpProxy;
  let proxied: TestServer;
  let api: ReturnType<typeof apiOf>;
  beforeAll(async () => {
    server = await startServer();
    const { hostname, port } = new URL(server.url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    proxied = { ...server, url: `http://localhost:${proxy.port}` };
    api = apiOf(server, await server.key());
    await api.webhook(receiver.url, "Course catalogue");
  }, 120_000);
  afterAll(async () => {
    proxy?.close();
    await server?.remove();
  });

  test("behind a proxy that drops its data is detected and reconnected, and the page shows when it last received data", async () => {
    const page = await watchDeliveries(proxied);
    await api.video("Before the silence");
    await row(page, "Before the silence").waitFor(SEEN);

    proxy.blackHole();
    const lastHeard = await timeIn(page);
    await api.video("Meanwhile 1");
    await page.clock.fastForward(SILENT_MS);
    const shown = await reconnecting(page);
    // The page shows when it last received data, not when it detected the silence.
    expect(shown <= lastHeard, `${shown}, last data at ${lastHeard}`).toBe(true);
    await expectAccessible(page);

    // The proxy also drops data on new connections, so each reconnection attempt times out and is followed by another.
    let tries = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/v1/changes")) tries += 1;
    });
    for (const least of [1, 2]) {
      await page.clock.fastForward(TRY_MS);
      await expect.poll(() => tries, SEEN).toBeGreaterThanOrEqual(least);
    }
    expect(await reconnecting(page)).toBe(shown);

    await api.video("Meanwhile 2");
    proxy.heal();
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    for (const name of ["Meanwhile 1", "Meanwhile 2"]) await row(page, name).waitFor(SEEN);
    await api.video("After the silence");
    await row(page, "After the silence").waitFor(SEEN);
    await page.context().close();
  });

  test("from a frozen server is detected, and the page shows the missed changes once the server resumes", async () => {
    const page = await watchDeliveries(server);
    server.process().kill("SIGSTOP");
    try {
      await page.clock.fastForward(SILENT_MS);
      await reconnecting(page);
      const created = api.video("Created while frozen");
      server.process().kill("SIGCONT");
      await created;
    } finally {
      server.process().kill("SIGCONT");
    }
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    await row(page, "Created while frozen").waitFor(SEEN);
    await page.context().close();
  });

  test("that has no changes to report stays connected, because the server sends heartbeats", async () => {
    const page = await watchDeliveries(server);
    let streams = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/v1/changes")) streams += 1;
    });
    for (const beats of [1, 2]) {
      await page.clock.fastForward(QUIET_MS);
      await expect.poll(() => page.evaluate<number>("window.beats"), SEEN).toBeGreaterThanOrEqual(beats);
    }
    await page.clock.fastForward(QUIET_MS);
    await api.video("After a quiet time");
    await row(page, "After a quiet time").waitFor(SEEN);
    expect(await page.getByText("Live", { exact: true }).isVisible()).toBe(true);
    expect(streams).toBe(0);
    await page.context().close();
  });

  /** Opens the deliveries page with a fake clock that starts at noon, so that times can be compared as strings. */
  async function watchDeliveries(server: TestServer): Promise<Page> {
    const { page } = await visitAsOwner(browser, server);
    await page.clock.install({ time: new Date().setHours(12, 0, 0, 0) });
    await page.addInitScript(COUNT_BEATS);
    await page.goto("/dashboard/deliveries");
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    return page;
  }
});

/** Counts the heartbeats that the page receives. */
const COUNT_BEATS = `
  window.beats = 0;
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      this.addEventListener("beat", () => window.beats++);
    }
  };
`;

const row = (page: Page, name: string) => page.getByRole("row", { name: new RegExp(name) });

/** Returns the time on the page's clock, in the format that the page uses. */
const timeIn = (page: Page) => page.evaluate<string>(`new Date().toLocaleTimeString("en-GB")`);

/** Waits until the page reports a lost connection. @returns the displayed time of the last data */
async function reconnecting(page: Page): Promise<string> {
  const mark = page.getByText(/^Reconnecting, data as of \d\d:\d\d:\d\d$/);
  await mark.waitFor(SEEN);
  return (await mark.innerText()).slice(-8);
}
