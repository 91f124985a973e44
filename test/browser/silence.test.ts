/** A stream that is open and says nothing more: no error comes, so the page has to notice by itself. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { apiOf } from "./api.ts";
import { startReceiver } from "./receiver.ts";

/** As dashboard/src/live/changes.ts has it: two of the server's beats and some more. */
const SILENT_MS = 40_000;
/** With the 15 s until the next beat well below that; twice, beyond it. */
const QUIET_MS = 15_000;
/** More than one try to connect again takes: five seconds for a response, three until the next. */
const TRY_MS = 10_000;
const SEEN = { timeout: 60_000 };

// Without a browser npm test says so and leaves these out.
describe.skipIf(without("chromium"))("a stream that fell silent", { timeout: 180_000 }, async () => {
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

  test("behind a proxy that holds its connection is noticed, said as of when, and made up for", async () => {
    const page = await watchDeliveries(proxied);
    await api.video("Before the silence");
    await row(page, "Before the silence").waitFor(SEEN);

    proxy.blackHole();
    const heard = await timeIn(page);
    await api.video("Meanwhile 1");
    await page.clock.fastForward(SILENT_MS);
    const said = await reconnecting(page);
    // Not the time at which it noticed: what it shows is as old as the last that it heard.
    expect(said <= heard, `${said}, heard until ${heard}`).toBe(true);
    await expectAccessible(page);

    // New connections are held like the old one: each try is given up, and the next one follows.
    let tries = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/v1/changes")) tries += 1;
    });
    for (const least of [1, 2]) {
      await page.clock.fastForward(TRY_MS);
      await expect.poll(() => tries, SEEN).toBeGreaterThanOrEqual(least);
    }
    expect(await reconnecting(page)).toBe(said);

    await api.video("Meanwhile 2");
    proxy.heal();
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    for (const name of ["Meanwhile 1", "Meanwhile 2"]) await row(page, name).waitFor(SEEN);
    await api.video("After the silence");
    await row(page, "After the silence").waitFor(SEEN);
    await page.context().close();
  });

  test("because the server is frozen is noticed too, and what it was asked meanwhile is shown once it thaws", async () => {
    const page = await watchDeliveries(server);
    server.process().kill("SIGSTOP");
    try {
      await page.clock.fastForward(SILENT_MS);
      await reconnecting(page);
      const asked = api.video("Asked of a frozen one");
      server.process().kill("SIGCONT");
      await asked;
    } finally {
      server.process().kill("SIGCONT");
    }
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    await row(page, "Asked of a frozen one").waitFor(SEEN);
    await page.context().close();
  });

  test("only because nothing happens is left alone: the server's beats are heard", async () => {
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

  /** The live list of deliveries, on a clock that can be put forward; it begins at noon, so that times compare as texts. */
  async function watchDeliveries(server: TestServer): Promise<Page> {
    const { page } = await visitAsOwner(browser, server);
    await page.clock.install({ time: new Date().setHours(12, 0, 0, 0) });
    await page.addInitScript(COUNT_BEATS);
    await page.goto("/dashboard/deliveries");
    await page.getByText("Live", { exact: true }).waitFor(SEEN);
    return page;
  }
});

/** What the page hears of the server between two changes is counted in `beats`. */
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

/** The page's own time, as it writes it. */
const timeIn = (page: Page) => page.evaluate<string>(`new Date().toLocaleTimeString("en-GB")`);

/** Waits until the page says that it is cut off. @returns as of when */
async function reconnecting(page: Page): Promise<string> {
  const mark = page.getByText(/^Reconnecting, as of \d\d:\d\d:\d\d$/);
  await mark.waitFor(SEEN);
  return (await mark.innerText()).slice(-8);
}
