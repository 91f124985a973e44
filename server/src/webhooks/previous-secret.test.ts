import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts } from "../../../test/support/engine.ts";
import { systemRandom } from "../kernel/random.ts";
import { createVault } from "./secrets.ts";

const db = await testDatabase();
const { space, webhooks } = await engineParts(db);
const make = () => webhooks.create(db, space, { url: "https://r.example.com/", events: ["video.created"] });

test("a webhook includes its previous secret's hint and expiry, and the time of the rotation", async () => {
  const made = await make();
  expect(made).toMatchObject({ previous_secret_hint: null, previous_secret_until: null });
  const rotated = await webhooks.rotateSecret(db, space, made.id, { overlap_seconds: 3_600 });
  const shown = await webhooks.get(space, made.id);
  expect(shown).toMatchObject({
    secret_hint: rotated.secret.slice(-4),
    previous_secret_hint: made.secret.slice(-4),
    previous_secret_until: shown.secret_since + 3_600,
  });
  const { data } = await webhooks.list(space, { limit: 1 });
  expect(data).toEqual([shown]);
  expect(JSON.stringify(shown)).not.toContain(made.secret);
});

test("a webhook does not include an expired previous secret", async () => {
  const { id } = await make();
  await webhooks.rotateSecret(db, space, id, { overlap_seconds: 3_600 });
  const rotated = await webhooks.rotateSecret(db, space, id, { overlap_seconds: 0 });
  expect(rotated).toMatchObject({ previous_secret_hint: null, previous_secret_until: null });
});

test("reading a secret's hint returns null if the vault lacks the key and throws if the owner does not match", () => {
  const [vault, other] = [1, 2].map((byte) => createVault([Buffer.alloc(32, byte)], systemRandom));
  const sealed = vault!.seal("whsec_abcdWXYZ", "owner");
  expect(vault!.hint(sealed, "owner")).toBe("WXYZ");
  expect(other!.hint(sealed, "owner")).toBeNull();
  expect(() => vault!.hint(sealed, "another owner")).toThrow();
});
