import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const api = await testApi(await testDatabase());

test("of sixty wrong passwords that arrive at once, only as many are hashed as are allowed in sequence", async () => {
  const ended: string[] = [];
  const signIn = async (n: number) => {
    const headers = { authorization: "", origin: api.url };
    const body = { email: "ann@example.com", password: `wrong password ${n}` };
    ended.push((await api.ask("POST", "/v1/session", body, headers)).json.code);
  };
  const burst = Promise.all(Array.from({ length: 60 }, (_, n) => signIn(n)));
  await expect.poll(() => ended.length).toBeGreaterThanOrEqual(60 - LIMITS.SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX);
  await readFile(new URL(import.meta.url));
  const hashed = ended.filter((code) => code === "SIGN_IN_FAILED").length;
  expect(hashed).toBeLessThan(LIMITS.SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX); // the file was read while others waited
  await burst;
  expect(ended.filter((code) => code === "RATE_LIMITED")).toHaveLength(60 - LIMITS.SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX);
  expect(ended.filter((code) => code === "SIGN_IN_FAILED")).toHaveLength(LIMITS.SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX);
});
