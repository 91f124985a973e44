import { beforeEach, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { LIMITS } from "../kernel/limits.ts";
import { systemRandom } from "../kernel/random.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { resealAll } from "./reseal.ts";
import { createVault } from "./secrets.ts";

const db = await testDatabase();
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);
const [oldKey, newKey] = [systemRandom.bytes(32), systemRandom.bytes(32)];
const before = createVault([oldKey], systemRandom);
const during = createVault([newKey, oldKey], systemRandom);
const after = createVault([newKey], systemRandom);

interface Row {
  id: string;
  secret: Buffer;
  previous_secret: Buffer | null;
  headers: Buffer | null;
}
const webhooks = () => query<Row>("select id, secret, previous_secret, headers from webhooks order by id");

async function add(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const id = uuidV7(Date.now(), systemRandom);
    await query(
      `insert into webhooks (space_id, id, url, events, secret, secret_hint, previous_secret, headers)
       select id, $1, 'https://example.com', '{video.created}', $2, 'abcd', $3, $4 from spaces limit 1`,
      [id, before.seal("whsec_new", id), before.seal("whsec_old", id), before.seal("{}", id)],
    );
  }
}

beforeEach(() => query("truncate webhooks, webhook_hours"));

test("after resealing, every value can be opened with the new key alone", async () => {
  await add(3);
  expect(await resealAll(db, during)).toEqual({ resealed: 3, seen: 3 });
  for (const { id, secret, previous_secret, headers } of await webhooks()) {
    const opened = [secret, previous_secret!, headers!].map((sealed) => after.open(sealed, id));
    expect(opened).toEqual(["whsec_new", "whsec_old", "{}"]);
  }
});

test("resealing handles more than one slice of webhooks, and a second run changes nothing", async () => {
  await add(LIMITS.RESEAL_SLICE + 5);
  expect((await resealAll(db, during)).resealed).toBe(LIMITS.RESEAL_SLICE + 5);
  expect((await resealAll(db, during)).resealed).toBe(0);
});

test("if no key opens a value, resealing fails and leaves that value's slice of webhooks unchanged", async () => {
  await add(2);
  const rows = await webhooks();
  await expect(resealAll(db, after)).rejects.toThrow(/MAVE_SECRETS_KEY/);
  expect(await webhooks()).toEqual(rows);
});
