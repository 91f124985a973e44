import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { migrate } from "./migrate.ts";

const db = await testDatabase();

test("a database that is up to date is left alone", async () => {
  expect(await migrate(db)).toEqual([]);
});
