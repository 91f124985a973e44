import { expect, test, vi } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { groupCommit } from "./group-commit.ts";

/** A commit that ends when the test says so. */
function gate() {
  const batches: { works: readonly string[]; end: (error?: Error) => void }[] = [];
  const commit = (works: readonly string[]) =>
    new Promise<string[]>((resolve, reject) => {
      batches.push({ works, end: (error) => (error ? reject(error) : resolve(works.map((work) => `${work}!`))) });
    });
  return { batches, commit };
}

test("what comes while commits run shares the next one; each gets its own result", async () => {
  const { batches, commit } = gate();
  const share = groupCommit({ commit });
  const results = Promise.all(["a", "b", "c", "d", "e"].map(share));
  await eventually(() => expect(batches.length).toBe(1));
  const later = Promise.all(["f", "g"].map(share));
  for (let ended = 0; ended < batches.length; ended++) {
    batches[ended]!.end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await results).toEqual(["a!", "b!", "c!", "d!", "e!"]);
  expect(await later).toEqual(["f!", "g!"]);
  expect(batches.length).toBeLessThan(7);
});

test("two about one subject are never in one transaction", async () => {
  const { batches, commit } = gate();
  const share = groupCommit({ commit, subject: (work: string) => work[0]! });
  const results = Promise.all(["a1", "a2", "b1"].map(share));
  for (let ended = 0; ended < 5 && batches.length <= 5; ended++) {
    await new Promise((resolve) => setImmediate(resolve));
    batches[ended]?.end();
  }
  expect(await results).toEqual(["a1!", "a2!", "b1!"]);
  for (const { works } of batches) expect(new Set(works.map((work) => work[0])).size).toBe(works.length);
});

test("nobody's work fails by somebody else's", async () => {
  const commit = vi.fn(async (works: readonly string[]) => {
    if (works.includes("bad")) throw Object.assign(new Error("invalid byte sequence"), { code: "22021" });
    return works.map((work) => `${work}!`);
  });
  const share = groupCommit({ commit });
  const results = await Promise.allSettled(["a", "bad", "b"].map(share));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("where the database went away nothing is tried again: it may have been committed", async () => {
  const commit = vi.fn(async () => Promise.reject(new Error("Connection terminated unexpectedly")));
  const share = groupCommit<string, string>({ commit });
  const results = await Promise.allSettled(["a", "b", "c"].map(share));
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(commit.mock.calls.flat(2).sort()).toEqual(["a", "b", "c"]);
});
