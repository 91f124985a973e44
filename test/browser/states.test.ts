/** Tests pages and dialogs in states that need the user's attention, in both themes and at every width. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { longUuid } from "../../server/src/kernel/short-uuid.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { addHealth } from "../../server/src/store/webhook-hours.ts";
import { expectFitsEverywhere, openBrowser, visitAsOwner } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { apiOf } from "./api.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const HOUR_MS = 3_600_000;

interface State {
  path: string;
  /** Text that appears once the state is reached. */
  text: RegExp | string;
  /** The steps that lead to the state. */
  reach?: (page: Page) => Promise<void>;
}

const press = (name: string) => (page: Page) => page.getByRole("button", { name, exact: true }).first().click();

async function skipRange(page: Page): Promise<void> {
  await press("Resume")(page);
  await page.getByRole("checkbox", { name: /Skip/ }).check();
  await press("Add start time")(page);
}

async function rotate(page: Page): Promise<void> {
  await press("Rotate secret")(page);
  await page.getByRole("dialog").getByRole("button", { name: "Rotate secret" }).click();
}

async function preview(page: Page): Promise<void> {
  await page.getByLabel("Webhook", { exact: true }).selectOption({ label: "Course catalogue" });
  await press("Preview")(page);
}

describe.skipIf(without("chromium"))("the dashboard in unusual states", { timeout: 300_000 }, async () => {
  const browser = await openBrowser();
  const receiver = await startReceiver();
  let server: TestServer;
  let ids: Awaited<ReturnType<typeof prepare>>;
  beforeAll(async () => {
    server = await startServer({ MAVE_RETRY_SCHEDULE: "0,3600" });
    ids = await prepare(server, receiver);
  }, 120_000);
  afterAll(() => server?.remove());

  const pages = (): State[] => [
    { path: `webhooks/${ids.failing}`, text: "Failures per hour" },
    { path: `webhooks/${ids.paused}`, text: "Valid until" },
    { path: `webhooks/${ids.disabled}`, text: /^Disabled since/ },
    { path: `replays/${ids.running}`, text: `${LIMITS.REPLAY_WINDOW} of ${EVENTS}` },
    { path: `replays/${ids.done}`, text: "Replay again" },
    { path: "replays", text: "Done" },
    { path: "replays/new", text: /First event/, reach: preview },
    { path: "audit-log", text: "Webhook: secret rotated" },
  ];
  const dialogs = (): State[] => [
    { path: `webhooks/${ids.paused}`, text: /Resume and send .*held deliveries/, reach: press("Resume") },
    { path: `webhooks/${ids.paused}`, text: "Skip events from", reach: skipRange },
    { path: `webhooks/${ids.paused}`, text: /Both secrets work until/, reach: press("Rotate secret") },
    { path: `webhooks/${ids.failing}`, text: "New secret", reach: rotate },
    { path: `replays/${ids.running}`, text: /will not be sent/, reach: press("Cancel replay") },
  ];

  for (const colorScheme of ["light", "dark"] as const) {
    test(`shows problems and progress on accessible pages that fit every width in the ${colorScheme} theme`, async () => {
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const state of pages()) {
        await see(page, state);
        await expectFitsEverywhere(page);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    });

    test(`shows dialogs that fit every width, trap focus, and restore it when they close, in the ${colorScheme} theme`, async () => {
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const state of dialogs()) {
        await see(page, state);
        await expectFitsEverywhere(page);
        for (const key of ["Tab", "Shift+Tab", "Shift+Tab"]) {
          await page.keyboard.press(key);
          await expect.poll(() => page.evaluate(FOCUS_IS_IN_DIALOG), { message: String(state.text) }).toBe(true);
        }
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await expect.poll(() => page.evaluate(FOCUSED), { message: String(state.text) }).toBe("BUTTON");
        await page.setViewportSize({ width: 1440, height: 900 });
      }
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
});

async function see(page: Page, { path, text, reach }: State): Promise<void> {
  await page.goto(`/dashboard/${path}`);
  await reach?.(page);
  await page.getByText(text).locator("visible=true").first().waitFor();
}

const FOCUS_IS_IN_DIALOG = "document.activeElement.closest('[role=dialog]') !== null";
const FOCUSED = "document.activeElement.tagName";

/** More events than fit in a replay's window, so that a replay to the paused webhook never finishes. */
const EVENTS = LIMITS.REPLAY_WINDOW + 2;

/** Creates one webhook for each kind of problem, and several replays. @returns their IDs */
async function prepare(server: TestServer, receiver: Receiver) {
  const api = apiOf(server, await server.key());
  receiver.response = { status: 410, body: "", headers: {} };
  const { id: disabled } = await api.webhook(`${receiver.url}/gone`, "Gone for a while");
  for (let n = 1; n <= EVENTS; n++) await api.video(`Before the others ${n}`);
  await eventually(async () => expect((await api.get(`/v1/webhooks/${disabled}`)).status).toBe("disabled"));

  receiver.response = { status: 503, body: "no", headers: {} };
  const { id: failing } = await api.webhook(receiver.url, "Course catalogue");
  const { id: paused } = await api.webhook(`${receiver.url}/paused`, "Data warehouse", { rate_limit: 50 });
  await api.patch(`/v1/webhooks/${paused}`, { status: "paused" });
  for (const name of ["Harbour at dawn", "Harbour at noon"]) await api.video(name);
  await failedToday(server, failing);

  const range = { since: 0, until: Math.floor(Date.now() / 1_000) + 60 };
  const { id: done } = await api.post("/v1/replays", { ...range, webhook: failing, statuses: ["canceled"] });
  const { id: running } = await api.post("/v1/replays", { ...range, webhook: paused, rate: null });
  await eventually(async () => expect((await api.get(`/v1/replays/${done}`)).status).toBe("done"));
  await api.post(`/v1/webhooks/${paused}/secret/rotations`, { overlap_seconds: 86_400 });
  return { disabled, failing, paused, done, running };
}

/** Adds several kinds of failures to a webhook's health over the last few hours. */
async function failedToday(server: TestServer, webhook: string): Promise<void> {
  const connection = await findEmbeddedPostgres(server.dataDir);
  const db = openDatabase({ connection: connection!, connections: 1 });
  const [space] = await db.run<{ id: string }>({ name: "states_space", text: "select id from spaces" });
  const hour = Date.now() - (Date.now() % HOUR_MS);
  const errors = [
    { "503": 12, timeout: 3 },
    { "503": 20, timeout: 9, connect_refused: 2, tls_failed: 1 },
    { "503": 4, dns_failed: 2, connect_refused: 6 },
  ];
  const one = { space_id: space!.id, webhook_id: longUuid(webhook)! };
  const hours = errors.map((errors, at) => ({
    ...{ ...one, hour_ms: hour - (9 - 2 * at) * HOUR_MS },
    ...{ succeeded: 30, failed: Object.values(errors).reduce((a, b) => a + b), errors, timings: { "total 40": 30 } },
  }));
  const mark = { ...one, succeeded: true, failing_ms: Date.now() - HOUR_MS, certificate_ms: null };
  await db.transaction((tx) => addHealth(tx, hours, [mark]));
  await db.close();
}
