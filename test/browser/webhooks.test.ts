import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectNoSidewaysScroll, openBrowser, visitAsOwner } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { apiOf } from "./api.ts";
import { startReceiver } from "./receiver.ts";

// The page picks up webhook health within five seconds. The rest of the timeout is slack for busy machines.
const SEEN_MS = 30_000;

describe.skipIf(without("chromium"))("webhooks in the dashboard", { timeout: 90_000 }, async () => {
  const browser = await openBrowser();
  const receiver = await startReceiver();
  let server: TestServer;
  let api: ReturnType<typeof apiOf>;
  beforeAll(async () => {
    server = await startServer({ MAVE_RETRY_SCHEDULE: "0,3600" });
    api = apiOf(server, await server.key());
  });
  afterAll(() => server?.remove());

  test("every error in the form is shown next to its field", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/webhooks/new");
    for (const type of ["video.created", "video.uploaded", "video.deleted"])
      await page.getByRole("checkbox", { name: new RegExp(type) }).uncheck();
    await page.getByRole("button", { name: "Create webhook" }).click();
    const url = page.getByLabel("URL");
    await expect.poll(() => url.getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await page.getByRole("checkbox", { name: /video\.created/ }).check();
    await url.fill("http://10.0.0.1/");
    await page.getByRole("button", { name: "Create webhook" }).click();
    await page
      .getByText(/10\.0\.0\.1/)
      .first()
      .waitFor();
    expect(faults.filter((fault) => !fault.includes("422"))).toEqual([]);
    await page.context().close();
  });

  test("a failing webhook shows when and why it started to fail and what happens next, and recovers after a successful retry", async () => {
    receiver.response = { status: 500, body: "no", headers: {} };
    const { id } = await api.webhook(receiver.url, "Course catalogue");
    await api.video("Autumn lecture 1");
    await api.video("Autumn lecture 2");
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/webhooks");
    await page
      .getByRole("row", { name: /Course catalogue/ })
      .getByText("Failing")
      .waitFor({ timeout: SEEN_MS });
    await page
      .getByRole("row", { name: /Course catalogue/ })
      .getByText(/Every attempt has failed since/)
      .waitFor();
    await page
      .getByRole("navigation", { name: "Main" })
      .getByRole("link", { name: /Webhooks.*1.*failing/ })
      .waitFor();
    await expectAccessible(page);

    await page.goto(`/dashboard/webhooks/${id}`);
    await page.getByText(/Last response: 500 Internal Server Error/).waitFor();
    await page.getByText(/this webhook will be disabled and its deliveries held\. Nothing is lost\./).waitFor();
    await page
      .getByRole("img", { name: /failed attempts? in 24 hours\. 500 Internal Server Error: \d+, since/ })
      .waitFor();
    await page.getByText("Latency by phase").click();
    await page.getByRole("cell", { name: "First byte" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Retry one now" }).waitFor();
    await page.getByRole("button", { name: "Retry all now" }).click();
    await page.getByText(/^Retrying 2\sdeliveries now$/).waitFor();
    receiver.response = { status: 200, body: "ok", headers: {} };
    const enabled = page.getByRole("heading", { name: "Course catalogue" }).locator("..").getByText("Enabled");
    // The click is repeated, because it does not affect deliveries that are being sent.
    await eventually(async () => {
      if (!(await enabled.isVisible()))
        await page.getByRole("button", { name: "Retry all now" }).click({ timeout: 1_000 });
      await enabled.waitFor({ timeout: 6_000 });
    });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("charts drawn in a wide window shrink with it", async () => {
    const { id } = await api.webhook(`${receiver.url}/charts`, "Two charts");
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    const charts = page.getByRole("main").locator("canvas");
    await expect.poll(() => charts.count()).toBe(2);
    await page.setViewportSize({ width: 390, height: 900 });
    await expectNoSidewaysScroll(page);
    await expect.poll(async () => (await charts.first().boundingBox())!.width).toBeLessThanOrEqual(390);
    expect(faults).toEqual([]);
    await page.context().close();
    await api.remove(`/v1/webhooks/${id}`); // other tests expect no extra webhooks
  });

  test("pausing can be undone, resuming previews the held deliveries, and no event is lost", async () => {
    receiver.response = { status: 200, body: "ok", headers: {} };
    const { id } = await api.webhook(`${receiver.url}/paused`, "Data warehouse", { rate_limit: 50 });
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Paused. New events are recorded and held.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText(/^Paused since/).waitFor();
    const before = receiver.received.length;
    for (const name of ["Held 1", "Held 2", "Held 3"]) await api.video(name);
    await page
      .getByText(/3\sdeliveries are held and will be sent, in order per video, when the webhook is resumed/)
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Resume" }).first().click();
    await page
      .getByRole("dialog")
      .getByText(
        /Resume and send 3\sheld deliveries\? They go out in order, at most 50 per second, before new events\. This takes a few seconds .*The oldest event is from/,
      )
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
    const held = () =>
      receiver.received.slice(before).filter(({ headers }) => headers.host && headers["mave-delivery"]);
    await expect.poll(() => held().length).toBeGreaterThanOrEqual(3);
    await page
      .getByRole("row", { name: /Held 3/ })
      .getByText("Succeeded")
      .waitFor({ timeout: SEEN_MS });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("resuming can skip old events or a time range, and skipped deliveries are marked", async () => {
    receiver.response = { status: 200, body: "ok", headers: {} };
    const { id } = await api.webhook(`${receiver.url}/skips`, "Old news");
    await api.patch(`/v1/webhooks/${id}`, { status: "paused" });
    for (const name of ["Skipped 1", "Skipped 2"]) await api.video(name);
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    await page.getByText(/2\sdeliveries are held and will be sent/).waitFor();
    await page.getByRole("button", { name: "Resume" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("checkbox", { name: /Skip old events/ }).check();
    await dialog.getByText("No held deliveries are in this range, so all will be sent.").waitFor();
    await dialog.getByRole("button", { name: "Add start time" }).click();
    await dialog.getByLabel("Skip events from").fill("2098-01-01T00:00");
    await dialog.getByText("Enter a time after the start.").waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("To", { exact: true }).fill("2099-01-01T00:00");
    await dialog.getByText("No held deliveries are in this range, so all will be sent.").waitFor();
    await dialog.getByLabel("Skip events from").fill("2020-01-01T00:00");
    await dialog.getByText(/2\sdeliveries will be skipped, and 0\sdeliveries will be sent/).waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Skip and resume" }).click();
    await page.getByText("Resumed", { exact: true }).waitFor();
    const { data } = await api.get(`/v1/deliveries?webhook=${id}`);
    expect(data.map(({ status }) => status)).toEqual(["canceled", "canceled"]);
    await page
      .getByRole("row", { name: /Skipped 1/ })
      .getByRole("link")
      .click();
    await page
      .getByText(/Skipped on resume\./)
      .first()
      .waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a 410 response disables the webhook, and its page shows why and lets the user resume it", async () => {
    receiver.response = { status: 410, body: "", headers: {} };
    const { id } = await api.webhook(`${receiver.url}/gone`, "Gone for a while");
    await api.video("Never received");
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    await page.getByText(/^Disabled since \d\d:\d\d\. .*410/).waitFor({ timeout: SEEN_MS });
    await expectAccessible(page);
    receiver.response = { status: 200, body: "ok", headers: {} };
    await page.getByRole("button", { name: "Resume" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
    await page.getByRole("heading", { name: "Gone for a while" }).locator("..").getByText("Enabled").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a secret can be revealed and rotated with an overlap, and the audit log records both", async () => {
    const { id, secret } = await api.webhook(receiver.url, "Search index");
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    await page.getByText(`whsec_••••••••••${secret.slice(-4)}`).waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Reveal secret" }).click();
    await page.getByText(secret).waitFor();
    await page.getByRole("button", { name: "Rotate secret" }).click();
    await page
      .getByRole("dialog")
      .getByText(/Both secrets work until/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Rotate secret" }).click();
    const dialog = page.getByRole("dialog", { name: "New secret" });
    await dialog.getByRole("button", { name: "Copy new secret" }).click();
    expect(await page.evaluate("navigator.clipboard.readText()")).not.toBe(secret);
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Done" }).click();
    const old = (name: string) => page.locator("dt", { hasText: name }).locator("+ dd");
    await expect.poll(() => old("Old secret").innerText()).toBe(`whsec_••••${secret.slice(-4)}`);
    expect(await old("Replaced").innerText()).toMatch(/^\d\d:\d\d$/);
    expect(await old("Valid until").innerText()).toMatch(/^.+, \d\d:\d\d\n23\sh( \d+\smin)? left$/);

    await page.goto("/dashboard/audit-log");
    await page
      .getByRole("row", { name: /secret revealed/ })
      .first()
      .waitFor();
    await page
      .getByRole("row", { name: /rotated/ })
      .first()
      .waitFor();
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("editing changes the settings, and deleting previews which deliveries it will cancel and offers to pause instead", async () => {
    const { id } = await api.webhook("http://127.0.0.1:1024/", "Old staging receiver");
    await api.video("Never delivered");
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto(`/dashboard/webhooks/${id}`);
    await chooseAction(page, "Edit");
    await page.getByLabel("Name").fill("New staging receiver");
    await page.getByRole("checkbox", { name: /video\.deleted/ }).uncheck();
    await page.getByText("Advanced settings").click();
    await page.getByRole("button", { name: "Add header" }).click();
    await page.getByLabel("Name", { exact: true }).last().fill("X-Tenant");
    await page.getByLabel("Value", { exact: true }).fill("museum");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "New staging receiver", level: 1 }).waitFor();
    await page.getByRole("definition").filter({ hasText: "X-Tenant" }).waitFor();
    expect(await page.content()).not.toContain("museum");

    await chooseAction(page, "Delete");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/1\spending delivery will be canceled and never sent/).waitFor();
    await dialog.getByRole("button", { name: "Pause instead" }).waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Delete webhook" }).click();
    await page.getByText("New staging receiver deleted").waitFor();
    // The page may learn of the deletion and request the webhook again before it navigates away.
    expect(faults.filter((fault) => !fault.includes("status of 404"))).toEqual([]);
    await page.context().close();
  });

  test("a replay is previewed before it sends anything, and then shows its progress", async () => {
    const { id } = await api.webhook(`${receiver.url}/late`, "Newcomer");
    const before = receiver.received.length;
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/replays");
    await page.getByRole("heading", { name: "No replays yet" }).waitFor();
    await page.goto(`/dashboard/replays/new?webhook=${id}`);
    await page.getByLabel("Webhook", { exact: true }).selectOption(id);
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText(/First event/).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: /^Send \d+\sevents$/ }).click();
    await page.getByRole("heading", { name: "Replay to Newcomer" }).waitFor();
    await page.locator("header").getByText("Done").waitFor();
    await expectAccessible(page);
    await expect.poll(() => receiver.received.length).toBeGreaterThan(before);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the debugger recognizes a re-serialized body without sending a request", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/debugger");
    await page.getByRole("button", { name: "Use an example" }).click();
    await page.getByRole("button", { name: "Check signature" }).click();
    await page.getByText("The signature is valid").waitFor();
    await expectAccessible(page);
    const requests: string[] = [];
    page.on("request", (request) => request.method() === "POST" && requests.push(request.url()));
    const body = page.getByLabel("Body");
    await body.fill(JSON.stringify(JSON.parse(await body.inputValue()), null, 2));
    await page.getByRole("button", { name: "Check signature" }).click();
    await page.getByText("The body was parsed and re-serialized; verify the raw bytes").waitFor();
    await expectAccessible(page);
    expect(requests).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

async function chooseAction(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name }).click();
}
