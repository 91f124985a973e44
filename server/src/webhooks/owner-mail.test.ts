import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeEach, expect, test } from "vitest";
import { attemptEnded } from "../../../test/support/attempt.ts";
import { databaseWithClock } from "../../../test/support/database-clock.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { createPeople } from "../auth/people.ts";
import { createRecorder } from "../events/record.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { createSignals } from "../kernel/signals.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import { createMailer } from "../net/mailer.ts";
import { Disabling } from "./disabling.ts";
import { Health } from "./health.ts";
import { createOwnerMail } from "./owner-mail.ts";
import { createVault } from "./secrets.ts";

const { db, setAhead } = await databaseWithClock();
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);
const [{ id: space }] = (await query<{ id: string }>("select id from spaces limit 1")) as [{ id: string }];
const publicUrl = "https://videos.example.com";
const MINUTE_MS = 60_000;
let ahead_ms = 0;
const ground = {
  db,
  clock: { ...systemClock, now: () => systemClock.now() + ahead_ms },
  random: systemRandom,
  log: createLog("silent", false),
  watchdog: new Watchdog(systemClock),
  signals: createSignals(),
  vault: createVault([Buffer.alloc(32, 7)], systemRandom),
};
await createPeople({ ...ground, publicUrl, cookieKey: Buffer.alloc(32, 1) }).prepare();
await query(`insert into auth."user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
  values ('u1', 'Ines', 'ines@example.com', true, now(), now())`);
await query(
  `insert into auth.organization (id, name, slug, "createdAt") values ($1::text, 'Museum', 'museum', now())`,
  [space],
);
await query(
  `insert into auth.member (id, "organizationId", "userId", role, "createdAt") values ('m1', $1::text, 'u1', 'owner', now())`,
  [space],
);

/** The emails received by a real mail server. */
const taken: { to: string[]; from: string; text: string }[] = [];
let refuses = false;
let held: Promise<void> | undefined; // the server waits for this promise before it accepts or rejects an email
let arriving = 0;
let onArrival = () => {};
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, session, done) {
    arriving += 1;
    onArrival();
    void stream.toArray().then(async (chunks) => {
      await held;
      if (refuses) return done(new Error("try later"));
      const { rcptTo, mailFrom } = session.envelope;
      const text = Buffer.concat(chunks).toString().replace(/=\r\n/g, "");
      taken.push({ to: rcptTo.map(({ address }) => address), from: mailFrom ? mailFrom.address : "", text });
      done();
    });
  },
});
await once(server.listen(0, "127.0.0.1"), "listening");
afterAll(() => new Promise<void>((resolve) => server.close(resolve)));
const { port } = server.server.address() as AddressInfo;
const mailer = createMailer({ url: `smtp://127.0.0.1:${port}?from=webhooks@example.com`, publicUrl });
const mail = createOwnerMail({ ...ground, mailer, publicUrl });
const disabling = new Disabling({ ...ground, recorder: createRecorder(ground) });
const health = new Health(ground);

/** Creates a webhook that has been failing for `ms`, or that is not failing if `ms` is null. */
async function failingFor(ms: number | null, description: string | null = "Course catalogue"): Promise<string> {
  const id = uuidV7(Date.now(), systemRandom);
  await query(
    `insert into webhooks (space_id, id, url, description, events, secret, secret_hint, failing_since)
     values ($1, $2, 'https://api.example.com/hooks', $4, '{webhook.failing,webhook.disabled}', '', 'abcd', now() - $3 * interval '1 ms')`,
    [space, id, ms, description],
  );
  return id;
}

/** Advances the clocks of both the node and the database. */
async function pass(ms: number): Promise<void> {
  ahead_ms += ms;
  await setAhead(ahead_ms / 1_000);
}

async function attempted(webhook: string, status: number): Promise<void> {
  health.note(attemptEnded(space, webhook, { at_ms: ground.clock.now(), status }));
  await health.flush();
}

/** Runs the checks that every node runs once a minute. @returns the number of emails received so far */
async function minute(): Promise<number> {
  await disabling.check();
  await mail.round();
  return taken.length;
}

const eventTypes = async () =>
  (await query<{ type: string }>("select type from events order by id")).map(({ type }) => type);

beforeEach(async () => {
  refuses = false;
  held = undefined;
  ahead_ms = 0;
  await setAhead(0);
  arriving = 0;
  onArrival = () => {};
  taken.length = 0;
  await query("truncate webhooks, webhook_hours, events, pending_deliveries");
});

test("owners receive one warning email when a failing webhook is halfway to being disabled", async () => {
  await failingFor(LIMITS.WEBHOOK_WARNING_MS + 1_000);
  for (let round = 0; round < 2; round++) {
    await disabling.check();
    await mail.round();
  }
  expect(await eventTypes()).toEqual(["webhook.failing"]);
  expect(taken).toHaveLength(1);
  expect(taken[0]).toMatchObject({ to: ["ines@example.com"], from: "webhooks@example.com" });
  expect(taken[0]!.text).toMatch(/Subject: Webhook failing: Course catalogue/);
  expect(taken[0]!.text).toMatch(
    /If no delivery succeeds by \d{4}-\d\d-\d\d \d\d:\d\d UTC, the webhook will be disabled/,
  );
});

test("no email is sent if a webhook has been failing for less than the warning period", async () => {
  await failingFor(LIMITS.WEBHOOK_WARNING_MS - 60_000);
  await disabling.check();
  await mail.round();
  expect([await eventTypes(), taken]).toEqual([[], []]);
});

test("the email about a disabled webhook says why the webhook was disabled and that nothing is lost", async () => {
  const id = await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000);
  await disabling.check();
  await mail.round();
  await mail.round();
  expect(await query("select status from webhooks where id = $1", [id])).toEqual([{ status: "disabled" }]);
  expect(await eventTypes()).toEqual(["webhook.failing", "webhook.disabled"]);
  expect(taken).toHaveLength(1);
  expect(taken[0]!.text).toMatch(/Subject: Webhook disabled: Course catalogue/);
  expect(taken[0]!.text).toMatch(/Every attempt failed for five days\./);
  expect(taken[0]!.text).toContain("nothing is lost");
});

test("no email is sent when a webhook recovers, but owners are warned again if it goes back to failing", async () => {
  const { WEBHOOK_WARNING_MS, WEBHOOK_FAILING_MS } = LIMITS;
  const id = await failingFor(null);
  await attempted(id, 200);
  await attempted(id, 500);
  await pass(WEBHOOK_WARNING_MS - MINUTE_MS);
  await attempted(id, 503);
  expect(await minute()).toBe(0);
  await pass(2 * MINUTE_MS);
  expect([await minute(), await minute()]).toEqual([1, 1]);

  await attempted(id, 200);
  await pass(WEBHOOK_FAILING_MS);
  expect([await minute(), await eventTypes()]).toEqual([1, ["webhook.failing"]]);

  await attempted(id, 500);
  await pass(WEBHOOK_WARNING_MS - MINUTE_MS);
  expect(await minute()).toBe(1);
  await pass(2 * MINUTE_MS);
  expect([await minute(), await minute()]).toEqual([2, 2]);
  await pass(WEBHOOK_FAILING_MS - WEBHOOK_WARNING_MS - 2 * MINUTE_MS);
  expect(await minute()).toBe(2); // one minute before the five days end
  await pass(2 * MINUTE_MS);
  expect([await minute(), await minute()]).toEqual([3, 3]);
  expect(taken.map(({ text }) => /Subject: Webhook (\w+)/.exec(text)![1])).toEqual(["failing", "failing", "disabled"]);
  expect(await eventTypes()).toEqual(["webhook.failing", "webhook.failing", "webhook.disabled"]);
});

test("only one node sends the email if two nodes run a round at the same time", async () => {
  await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000);
  await disabling.check();
  const secondIsOver = Promise.withResolvers<void>();
  held = secondIsOver.promise;
  const first = mail.round();
  await eventually(() => expect(arriving).toBe(1));
  const secondMail = new Promise<void>((resolve) => {
    onArrival = resolve;
  });
  const second = createOwnerMail({ ...ground, mailer, publicUrl }).round();
  await Promise.race([second, secondMail]);
  expect(arriving).toBe(1);
  secondIsOver.resolve();
  await Promise.all([first, second]);
  await mail.round();
  expect(taken).toHaveLength(1);
});

test("a second email is sent if a webhook is disabled while the email about its failures is being sent", async () => {
  await failingFor(LIMITS.WEBHOOK_WARNING_MS + 1_000);
  await disabling.check();
  const disabled = Promise.withResolvers<void>();
  held = disabled.promise;
  const round = mail.round();
  await eventually(() => expect(arriving).toBe(1));
  await query("update webhooks set failing_since = now() - $1 * interval '1 ms'", [LIMITS.WEBHOOK_FAILING_MS + 1_000]);
  await disabling.check();
  disabled.resolve();
  await round;
  expect([await minute(), await minute()]).toEqual([2, 2]);
  expect(taken[1]!.text).toMatch(/Subject: Webhook disabled/);
});

test("an email that the mail server rejects does not keep the others back, and is sent again in a later round", async () => {
  for (let n = 0; n < 2; n++) await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000);
  await disabling.check();
  const rejected = arriving + 1;
  onArrival = () => {
    refuses = arriving === rejected;
  };
  await mail.round();
  expect(taken).toHaveLength(1);
  await mail.round();
  expect(taken).toHaveLength(2);
});

test("line breaks in a description cannot add headers to an email", async () => {
  await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000, "Catalogue\r\nBcc: everybody@example.com");
  await disabling.check();
  await mail.round();
  expect(taken[0]!.to).toEqual(["ines@example.com"]);
  expect(taken[0]!.text).not.toMatch(/^Bcc:/m);
});
