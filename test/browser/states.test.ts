/** What pages look like in the states that need a person: each in both themes, from phone to wide. */
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
  /** Words that say that it is there. */
  words: RegExp | string;
  /** What a person does to see it. */
  reach?: (page: Page) => Promise<void>;
}

const press = (name: string) => (page: Page) => page.getByRole("button", { name, exact: true }).first().click();

async function skipRange(page: Page): Promise<void> {
  await press("Resume")(page);
  await page.getByRole("checkbox", { name: /Skip/ }).check();
  await press("Not all before: choose a beginning")(page);
}

async function rotate(page: Page): Promise<void> {
  await press("Rotate")(page);
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
}

async function count(page: Page): Promise<void> {
  await page.getByLabel("Webhook", { exact: true }).selectOption({ label: "Course catalogue" });
  await press("Count")(page);
}

// Without a browser npm test says so and leaves these out.
describe.skipIf(without("chromium"))("states of the dashboard", { timeout: 300_000 }, async () => {
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
    { path: `webhooks/${ids.failing}`, words: "What failed, per hour" },
    { path: `webhooks/${ids.paused}`, words: "Old secret" },
    { path: `webhooks/${ids.disabled}`, words: /^Disabled since/ },
    { path: `replays/${ids.running}`, words: `${LIMITS.REPLAY_WINDOW} of ${EVENTS}` },
    { path: `replays/${ids.done}`, words: "Replay again" },
    { path: "replays", words: "Done" },
    { path: "replays/new", words: /The first happened/, reach: count },
    { path: "audit-log", words: "Webhook: secret rotated" },
  ];
  const dialogs = (): State[] => [
    { path: `webhooks/${ids.paused}`, words: /deliveries that are held/, reach: press("Resume") },
    { path: `webhooks/${ids.paused}`, words: "Until before", reach: skipRange },
    { path: `webhooks/${ids.paused}`, words: /Both secrets work until/, reach: press("Rotate") },
    { path: `webhooks/${ids.failing}`, words: "The new secret", reach: rotate },
    { path: `replays/${ids.running}`, words: /will not be sent/, reach: press("Cancel") },
  ];

  for (const colorScheme of ["light", "dark"] as const) {
    test(`${colorScheme}: pages in trouble and at work fit and keep nobody out, from phone to wide`, async () => {
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const state of pages()) {
        await see(page, state);
        await expectFitsEverywhere(page);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    });

    test(`${colorScheme}: dialogs fit, hold the focus, and give it back when they are left`, async () => {
      const { page, faults } = await visitAsOwner(browser, server, { colorScheme });
      for (const state of dialogs()) {
        await see(page, state);
        await expectFitsEverywhere(page);
        for (const key of ["Tab", "Shift+Tab", "Shift+Tab"]) {
          await page.keyboard.press(key);
          await expect.poll(() => page.evaluate(FOCUS_IS_IN_DIALOG), { message: String(state.words) }).toBe(true);
        }
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await expect.poll(() => page.evaluate(FOCUSED), { message: String(state.words) }).toBe("BUTTON");
        await page.setViewportSize({ width: 1440, height: 900 });
      }
      expect(faults).toEqual([]);
      await page.context().close();
    });
  }
});

async function see(page: Page, { path, words, reach }: State): Promise<void> {
  await page.goto(`/dashboard/${path}`);
  await reach?.(page);
  await page.getByText(words).locator("visible=true").first().waitFor();
}

const FOCUS_IS_IN_DIALOG = "document.activeElement.closest('[role=dialog]') !== null";
const FOCUSED = "document.activeElement.tagName";

/** More than a replay opens at a time: to a webhook that is paused it never ends. */
const EVENTS = LIMITS.REPLAY_WINDOW + 2;

/** A webhook in each kind of trouble, and replays. @returns their ids */
async function prepare(server: TestServer, receiver: Receiver) {
  const api = apiOf(server, await server.key());
  receiver.answers = { status: 410, body: "", headers: {} };
  const { id: disabled } = await api.webhook(`${receiver.url}/gone`, "Gone for a while");
  for (let n = 1; n <= EVENTS; n++) await api.video(`Before the others ${n}`);
  await eventually(async () => expect((await api.get(`/v1/webhooks/${disabled}`)).status).toBe("disabled"));

  receiver.answers = { status: 503, body: "no", headers: {} };
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

/** Failures of several kinds over the last hours, as the attempts of a bad day would leave them. */
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
