import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeEach, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { createPeople } from "../auth/people.ts";
import { systemClock } from "../clock.ts";
import { createRecorder } from "../events/record.ts";
import { LIMITS } from "../limits.ts";
import { createLog } from "../log.ts";
import { createMailer } from "../net/mailer.ts";
import { systemRandom } from "../random.ts";
import { createSignals } from "../signals.ts";
import { uuidV7 } from "../uuid.ts";
import { Disabling } from "./disabling.ts";
import { createOwnerMail } from "./owner-mail.ts";

const db = await testDatabase();
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);
const [{ id: space }] = (await query<{ id: string }>("select id from spaces limit 1")) as [{ id: string }];
const publicUrl = "https://videos.example.com";
const ground = {
  db,
  clock: systemClock,
  random: systemRandom,
  log: createLog("silent", false),
  signals: createSignals(),
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

/** A real mail server, which keeps what it was sent. */
const taken: { to: string[]; from: string; text: string }[] = [];
let refuses = false;
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, session, done) {
    void stream.toArray().then((chunks) => {
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

/** A webhook that has failed for so long. */
async function failingFor(ms: number, description: string | null = "Course catalogue"): Promise<string> {
  const id = uuidV7(Date.now(), systemRandom);
  await query(
    `insert into webhooks (space_id, id, url, description, events, secret, secret_hint, failing_since)
     values ($1, $2, 'https://api.example.com/hooks', $4, '{webhook.failing,webhook.disabled}', '', 'abcd', now() - $3 * interval '1 ms')`,
    [space, id, ms, description],
  );
  return id;
}
const eventTypes = async () =>
  (await query<{ type: string }>("select type from events order by id")).map(({ type }) => type);

beforeEach(async () => {
  refuses = false;
  taken.length = 0;
  await query("truncate webhooks, webhook_hours, events, open_deliveries");
});

test("at half of the time owners are warned once, by event and by mail that says when it will be disabled", async () => {
  await failingFor(LIMITS.WEBHOOK_WARNED_MS + 1_000);
  for (let round = 0; round < 2; round++) {
    await disabling.look();
    await mail.round();
  }
  expect(await eventTypes()).toEqual(["webhook.failing"]);
  expect(taken).toHaveLength(1);
  expect(taken[0]).toMatchObject({ to: ["ines@example.com"], from: "webhooks@example.com" });
  expect(taken[0]!.text).toMatch(/Subject: Webhook failing: Course catalogue/);
  expect(taken[0]!.text).toMatch(/If nothing succeeds until \d{4}-\d\d-\d\d \d\d:\d\d UTC, it is disabled/);
});

test("a webhook that failed for less is nobody's news", async () => {
  await failingFor(LIMITS.WEBHOOK_WARNED_MS - 60_000);
  await disabling.look();
  await mail.round();
  expect([await eventTypes(), taken]).toEqual([[], []]);
});

test("after five days it is disabled, and its owners are told why and that nothing is lost", async () => {
  const id = await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000);
  await disabling.look();
  await mail.round();
  await mail.round();
  expect(await query("select status from webhooks where id = $1", [id])).toEqual([{ status: "disabled" }]);
  expect(await eventTypes()).toEqual(["webhook.failing", "webhook.disabled"]);
  expect(taken).toHaveLength(1);
  expect(taken[0]!.text).toMatch(/Subject: Webhook disabled: Course catalogue/);
  expect(taken[0]!.text).toMatch(/Every attempt failed for five days\./);
  expect(taken[0]!.text).toContain("nothing is lost");
});

test("one that recovers and fails again is warned of again", async () => {
  const id = await failingFor(LIMITS.WEBHOOK_WARNED_MS + 1_000);
  await disabling.look();
  await mail.round();
  await query(
    "update webhooks set warned_at = now() - interval '20 days', mailed_at = now() - interval '20 days' where id = $1",
    [id],
  );
  await disabling.look();
  await mail.round();
  expect(taken).toHaveLength(2);
});

test("what the mail server did not take is sent by a later round", async () => {
  await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000);
  await disabling.look();
  refuses = true;
  await expect(mail.round()).rejects.toThrow(/try later/);
  refuses = false;
  await mail.round();
  expect(taken).toHaveLength(1);
});

test("a description with line breaks cannot add headers to a mail", async () => {
  await failingFor(LIMITS.WEBHOOK_FAILING_MS + 1_000, "Catalogue\r\nBcc: everybody@example.com");
  await disabling.look();
  await mail.round();
  expect(taken[0]!.to).toEqual(["ines@example.com"]);
  expect(taken[0]!.text).not.toMatch(/^Bcc:/m);
});
