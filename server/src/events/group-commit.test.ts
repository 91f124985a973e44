import { expect, test, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { LIMITS } from "../kernel/limits.ts";
import { groupCommit } from "./group-commit.ts";

/** Creates a commit function whose pending commits the test completes or fails. */
function gate() {
  const batches: { works: readonly string[]; end: (error?: Error) => void }[] = [];
  const commit = (works: readonly string[]) =>
    new Promise<string[]>((resolve, reject) => {
      batches.push({ works, end: (error) => (error ? reject(error) : resolve(works.map((work) => `${work}!`))) });
    });
  return { batches, commit };
}

test("work that arrives during a commit joins the next one, and each caller gets its own result", async () => {
  const { batches, commit } = gate();
  const add = groupCommit({ commit });
  const results = Promise.all(["a", "b", "c", "d", "e"].map(add));
  await eventually(() => expect(batches.length).toBe(1));
  const later = Promise.all(["f", "g"].map(add));
  for (let ended = 0; ended < batches.length; ended++) {
    batches[ended]!.end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await results).toEqual(["a!", "b!", "c!", "d!", "e!"]);
  expect(await later).toEqual(["f!", "g!"]);
  expect(batches.length).toBeLessThan(7);
});

test("items of work with the same subject are never committed in the same transaction", async () => {
  const { batches, commit } = gate();
  const add = groupCommit({ commit, subject: (work: string) => work[0]! });
  const results = Promise.all(["a1", "a2", "b1"].map(add));
  for (let ended = 0; ended < 5 && batches.length <= 5; ended++) {
    await new Promise((resolve) => setImmediate(resolve));
    batches[ended]?.end();
  }
  expect(await results).toEqual(["a1!", "a2!", "b1!"]);
  for (const { works } of batches) expect(new Set(works.map((work) => work[0])).size).toBe(works.length);
});

test("invalid work does not fail the rest of its group", async () => {
  const commit = vi.fn(async (works: readonly string[]) => {
    if (works.includes("bad")) throw Object.assign(new Error("invalid byte sequence"), { code: "22021" });
    return works.map((work) => `${work}!`);
  });
  const add = groupCommit({ commit });
  const results = await Promise.allSettled(["a", "bad", "b"].map(add));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("work is not retried if the database becomes unavailable, because it may have been committed", async () => {
  const commit = vi.fn(async () => Promise.reject(new Error("Connection terminated unexpectedly")));
  const add = groupCommit<string, string>({ commit });
  const results = await Promise.allSettled(["a", "b", "c"].map(add));
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(commit.mock.calls.flat(2).sort()).toEqual(["a", "b", "c"]);
});

test("work is refused once too much of it is waiting, instead of using up the memory", async () => {
  const { batches, commit } = gate();
  const add = groupCommit({ commit });
  const inCommit = add("first");
  await eventually(() => expect(batches).toHaveLength(1));
  const waiting = Array.from({ length: LIMITS.GROUP_COMMIT_WAITING_MAX }, () => add("waiting"));
  await expect(add("too much")).rejects.toMatchObject({ code: "OVERLOADED", retryAfter_s: 2 });
  for (let ended = 0; ended < batches.length; ended++) {
    batches[ended]!.end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await inCommit).toBe("first!");
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["waiting!"]));
});
