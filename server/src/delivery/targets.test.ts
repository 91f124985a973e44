import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { databaseWithClock } from "../../../test/support/database-clock.ts";
import { engineParts } from "../../../test/support/engine.ts";
import { systemRandom } from "../kernel/random.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import { createVault } from "../webhooks/secrets.ts";
import { createTargets } from "./targets.ts";

const db = await testDatabase();
const parts = await engineParts(db);

test("a webhook whose secret this node cannot decrypt is not treated as deleted and does not affect others", async () => {
  const targets = createTargets(db, parts.vault, { monotonic: () => 0 });
  const make = () =>
    parts.webhooks.create(parts.db, parts.space, { url: "https://r.example.com/", events: ["video.created"] });
  const [sealed, good, gone] = (await Promise.all([make(), make(), make()])).map(({ id }) => longUuid(id)!);
  await parts.webhooks.remove(parts.db, parts.space, shortUuid(gone!));
  const secret = createVault([Buffer.alloc(32, 8)], systemRandom).seal("whsec_", sealed!);
  await db.run({ name: "test_seal", text: "update webhooks set secret = $2 where id = $1" }, [sealed, secret]);
  for (const known of [false, true]) {
    await expect(targets.load([sealed!, good!, gone!]), `known: ${known}`).rejects.toThrow(/MAVE_SECRETS_KEY/);
    expect([targets.get(sealed!), targets.get(good!)?.webhook, targets.get(gone!)]).toEqual([undefined, good, null]);
  }
});

test("a node that was frozen or disconnected, for however long, still reads the webhook changes it missed", async () => {
  let now_ms = 0;
  const targets = createTargets(db, parts.vault, { monotonic: () => now_ms });
  const made = await parts.webhooks.create(parts.db, parts.space, {
    url: "https://old.example.com/",
    events: ["video.created"],
  });
  const webhook = longUuid(made.id)!;
  await targets.load([webhook]);
  await targets.refresh();
  await parts.webhooks.update(parts.db, parts.space, made.id, { url: "https://new.example.com/" });
  await db.run({
    name: "test_changed_before",
    text: "update webhooks set changed_at = now() - interval '40 s'",
  });
  now_ms += 45_000;
  expect(await targets.refresh()).toEqual([webhook]);
  expect(targets.get(webhook)).toMatchObject({ url: "https://new.example.com/" });
});

test.each([
  ["forward", 3_600],
  ["back", -3_600],
])("a webhook change is read even if the database clock is set %s right after it", async (_where, seconds) => {
  const { db, setAhead } = await databaseWithClock();
  const parts = await engineParts(db);
  let now_ms = 0;
  const targets = createTargets(db, parts.vault, { monotonic: () => now_ms });
  const made = await parts.webhooks.create(parts.db, parts.space, {
    url: "https://1.example.com/",
    events: ["video.created"],
  });
  const webhook = longUuid(made.id)!;
  const changeTo = (url: string) => parts.webhooks.update(parts.db, parts.space, made.id, { url });
  const read = async () => {
    now_ms += 5_000;
    await targets.refresh();
    return targets.get(webhook)?.url;
  };
  await targets.load([webhook]);
  await targets.refresh();
  await changeTo("https://2.example.com/");
  await setAhead(seconds);
  expect(await read()).toBe("https://2.example.com/");
  await changeTo("https://3.example.com/");
  expect(await read()).toBe("https://3.example.com/");
  await setAhead(0);
  await changeTo("https://4.example.com/");
  expect(await read()).toBe("https://4.example.com/");
});
