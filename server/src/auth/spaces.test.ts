import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { firstSpace } from "../store/spaces.ts";
import { createSpaces } from "./spaces.ts";

const db = await testDatabase();
const spaces = createSpaces({ db });

test("renaming a space trims the new name", async () => {
  const { id } = await firstSpace(db);
  expect(await spaces.rename(db, id, "  Northlight Museum ")).toMatchObject({
    object: "space",
    name: "Northlight Museum",
  });
  expect(await spaces.get(id)).toMatchObject({ name: "Northlight Museum" });
});

test("renaming a space is rolled back if the audit entry cannot be written", async () => {
  const { id } = await firstSpace(db);
  const before = await spaces.get(id);
  const refused = db.transaction(async (tx) => {
    await spaces.rename(tx, id, "Never");
    throw new Error("disk full");
  });
  await expect(refused).rejects.toThrow("disk full");
  expect(await spaces.get(id)).toEqual(before);
});
