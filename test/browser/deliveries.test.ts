import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { expectAccessible, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { apiOf } from "./api.ts";
import { startReceiver } from "./receiver.ts";

describe.skipIf(without("chromium"))("deliveries in the dashboard", { timeout: 90_000 }, async () => {
  const browser = await openBrowser();
  const receiver = await startReceiver();
  let server: TestServer;
  let api: ReturnType<typeof apiOf>;
  let webhook: string;
  beforeAll(async () => {
    server = await startServer();
    api = apiOf(server, await server.key());
    webhook = (await api.webhook(receiver.url, "Course catalogue")).id;
  });
  afterAll(() => server?.remove());

  test("a response cannot run code on the page", async () => {
    const evil = `</script><script>window.pwned = "body"</script><img src=x onerror="window.pwned = 'image'">`;
    receiver.response = {
      status: 503,
      body: `<!doctype html><h1>Down</h1>${evil}`,
      headers: { "content-type": "text/html", "x-note": evil },
    };
    const { page, faults } = await visitAsOwner(browser, server);
    const name = `<b onclick="window.pwned = 'name'">Night</b>${evil}`;
    await api.video(name);
    await page.goto("/dashboard/deliveries");
    await page.getByRole("row", { name: /Night/ }).getByText("503 Service Unavailable").waitFor();
    await page.getByRole("row", { name: /Night/ }).getByRole("link").click();
    await page.getByText("The receiver responded with").waitFor();
    await page.getByRole("region", { name: "Response body" }).getByText(evil).waitFor();
    await page.getByRole("region", { name: "Response headers" }).getByText(evil).waitFor();
    await page.getByRole("button", { name: "Request", exact: true }).click();
    await page.getByRole("button", { name: "Show raw" }).click();
    await page.getByRole("region", { name: "Request body" }).getByText('"type":"video.created"').waitFor();
    expect(await page.evaluate("window.pwned")).toBeUndefined();
    expect(await page.locator("main h1, main b, main img").allInnerTexts()).toEqual([
      "video.created to Course catalogue",
    ]);
    await expectAccessible(page);
    expect(faults).toEqual([]);
    receiver.response = { status: 200, body: "ok", headers: {} };
    await page.getByRole("button", { name: "Send now" }).click();
    await page.locator("header").getByText("Succeeded").waitFor();
    await page.context().close();
  });

  test("bulk actions preview how many deliveries they will send again or cancel, and explain unsupported filters", async () => {
    receiver.response = { status: 200, body: "ok", headers: {} };
    const { id } = await api.webhook(`${receiver.url}/bulk`, "In bulk");
    onTestFinished(async () => void (await api.remove(`/v1/webhooks/${id}`))); // other tests expect one row per video
    await api.patch(`/v1/webhooks/${id}`, { status: "paused" });
    for (const name of ["Bulk 1", "Bulk 2", "Bulk 3"]) await api.video(name);
    const { page, faults } = await visitAsOwner(browser, server);
    const choose = async (item: RegExp) => {
      await page.getByRole("button", { name: "Bulk actions" }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await page.goto("/dashboard/deliveries");
    await choose(/Send all again/);
    await page
      .getByRole("dialog")
      .getByText(/Choose a webhook in the filter first\./)
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();

    await page.goto(`/dashboard/deliveries?webhook=${id}&response=5xx`);
    await choose(/Cancel all pending/);
    await page
      .getByRole("dialog")
      .getByText(/canceled by status, not by last response/)
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("dialog").getByRole("button", { name: "Remove response filter" }).click();
    await page
      .getByRole("dialog")
      .getByText(/3\spending deliveries will be canceled and marked as canceled by you\./)
      .waitFor();
    await expectAccessible(page);
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /Cancel 3\sdeliveries/ })
      .click();
    await page.getByText(/3\sdeliveries canceled/).waitFor();
    const canceled = await api.get(`/v1/deliveries?webhook=${id}&status=canceled`);
    expect(canceled.data).toHaveLength(3);

    await api.patch(`/v1/webhooks/${id}`, { status: "enabled" });
    await page.goto(`/dashboard/deliveries?webhook=${id}&status=canceled`);
    await choose(/Send all again/);
    await page
      .getByRole("dialog")
      .getByText(/A replay sends 3\sdeliveries again/)
      .waitFor();
    await expectAccessible(page);
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /Send 3\sdeliveries again/ })
      .click();
    await page.waitForURL(/\/replays\/\w{22}/);
    const succeeded = async () => (await api.get(`/v1/deliveries?webhook=${id}&status=succeeded`)).data.length;
    await expect.poll(succeeded, { timeout: 30_000 }).toBe(3);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("new deliveries appear automatically, but never move a row under the pointer", async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/deliveries");
    await page.getByText("Live", { exact: true }).waitFor();
    await api.video("Enters by itself");
    await page.getByRole("row", { name: /Enters by itself/ }).waitFor();

    const top = page.getByRole("row").nth(1);
    await top.hover();
    const before = await top.getByRole("link").getAttribute("href");
    await api.video("Waits behind a count");
    await page.getByRole("button", { name: "1 new" }).waitFor();
    expect(await top.getByRole("link").getAttribute("href")).toBe(before);
    await page.getByRole("button", { name: "1 new" }).click();
    await page.getByRole("row", { name: /Waits behind a count/ }).waitFor();

    await page.mouse.move(0, 0);
    await page.keyboard.press("p");
    await page.getByText(/^Paused/).waitFor();
    await page.keyboard.press("p");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().close();
  });

  test("the page reports a lost connection to the server and catches up once it is restored", {
    timeout: 180_000,
  }, async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/deliveries");
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
    await server.kill();
    await page.getByText(/^Reconnecting, data as of \d\d:\d\d:\d\d$/).waitFor({ timeout: 60_000 });
    await server.start();
    const name = `Created after the restart, ${Date.now()}`;
    await api.video(name);
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByRole("row", { name: new RegExp(name) }).waitFor();
    await page.context().close();
  });

  test("a code chunk that fails to load does not break the rest of the page and is loaded later", async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.route(/\/(?:popups|toaster|upload-panel)-.*\.js$/, (route) => route.abort(), { times: 3 });
    await page.goto("/dashboard/deliveries");
    await page.getByText("Live", { exact: true }).waitFor();
    const loadedLater = () => {
      const entries = performance.getEntriesByType("resource").map((entry) => JSON.parse(JSON.stringify(entry)));
      const isLoaded = (part: string) =>
        entries.some((one) => one.name.includes(`/${part}-`) && one.responseStatus === 200);
      return ["popups", "toaster", "upload-panel"].every(isLoaded);
    };
    await page.waitForFunction(loadedLater, undefined, { timeout: 30_000 });
    expect(await page.getByText("An error occurred in the dashboard").count()).toBe(0);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().close();
  });

  /** Opens the page but blocks its menu code. `load` unblocks it and waits until the page has replaced the button. */
  async function withoutMenus() {
    const { page } = await visitAsOwner(browser, server);
    const held = Promise.withResolvers<void>();
    await page.route(/\/popups-.*\.js$/, async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto("/dashboard/deliveries");
    const button = page.getByRole("button", { name: "Bulk actions" });
    const waiting = (await button.elementHandle())!;
    const load = async () => {
      held.resolve();
      await page.waitForFunction((old) => !(old as unknown as { isConnected: boolean }).isConnected, waiting);
    };
    return { page, button, load };
  }

  test("a menu opens even if its code loads while the button is pressed", async () => {
    const { page, button, load } = await withoutMenus();
    await button.hover();
    await page.mouse.down();
    await load();
    await page.mouse.up();
    await page.getByRole("menuitem", { name: /Send all again/ }).waitFor();
    await page.context().close();
  });

  test("a menu whose code has not loaded does not open on right-click", async () => {
    const { page, button, load } = await withoutMenus();
    await button.click({ button: "right" });
    await load();
    await button.hover();
    expect(await page.getByRole("menuitem").count()).toBe(0);
    await page.context().close();
  });

  test("filters are kept in the URL, and an empty result shows how many filters are set", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/deliveries");
    await page.getByRole("link", { name: "Failed" }).click();
    await page.getByText("No deliveries match this filter").waitFor();
    await page.getByLabel("Event", { exact: true }).selectOption("video.deleted");
    await page.getByLabel("Webhook", { exact: true }).selectOption({ label: "Course catalogue" });
    await page.getByText("No deliveries match 3 filters").waitFor();
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toMatchObject({ status: "failed", type: "video.deleted" });
    await expectAccessible(page);
    await page.reload();
    await page.getByText("No deliveries match 3 filters").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("row", { name: /Enters by itself/ }).waitFor();
    await page.getByLabel("Response").selectOption("2xx");
    await page.getByLabel("Time").selectOption("Last hour");
    await page.getByRole("row", { name: /Enters by itself/ }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the command palette, pages and rows can be used with the keyboard alone", async () => {
    const name = `Reached by keys ${Date.now()}`; // unique, because the test may be retried
    await api.video(name);
    await api.video("And another");
    const { page } = await visitAsOwner(browser, server);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or jump to" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.type("deliv");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Deliveries", level: 1 }).waitFor();
    await page.getByRole("row", { name }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "video.created to Course catalogue" }).waitFor();
    await page.keyboard.press("y");
    const id = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(page.url()).toContain(id);

    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { name: "Events", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or jump to" }).waitFor(); // keys pressed before this would be lost
    await page.keyboard.type(id);
    await page.getByRole("option", { name: `Delivery ${id}` }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "video.created to Course catalogue" }).waitFor();
    await page.context().close();
  });

  test("an unknown ID, an unknown page and an unreachable server are reported", async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/deliveries/${webhook}`);
    await page.getByRole("alert").getByText("NOT_FOUND").waitFor();
    await page.goto("/dashboard/nowhere");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    await page.goto("/dashboard/deliveries");
    await page.getByRole("row", { name: /Enters by itself/ }).waitFor();
    await page.route("**/v1/events?*", (route) => route.abort());
    await page.getByRole("link", { name: "Events" }).click();
    await page.getByRole("alert").getByText("SERVER_UNREACHABLE").waitFor();
    await expectAccessible(page);
    await page.unroute("**/v1/events?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page
      .getByRole("row", { name: /video\.created/ })
      .first()
      .waitFor();
    await page.context().close();
  });
});
