import { describe, expect, test } from "vitest";
import { judge, type Pasted, readHeaders, sample } from "./signature-check.ts";

const NOW = 1_785_443_715;
const other = `whsec_${"A".repeat(32)}`;
const verdictOn = async (change: (right: Pasted) => Partial<Pasted>, later = 0) => {
  const right = await sample(NOW);
  return judge({ ...right, ...change(right) }, NOW + later);
};

describe("the debugger's verdict", () => {
  test("names the event of a request that is right", async () => {
    const verdict = await verdictOn(() => ({}));
    expect(verdict).toMatchObject({ good: true, title: "The signature is right." });
    expect(verdict.detail).toContain("video.created");
  });
  test("knows a body that was parsed and written again", async () => {
    const verdict = await verdictOn(({ body }) => ({ body: JSON.stringify(JSON.parse(body), null, 2) }));
    expect(verdict.title).toBe("The body was parsed and written again; verify the raw bytes.");
  });
  test("says when it was signed with the previous secret", async () => {
    const verdict = await verdictOn(({ secret }) => ({ secret: other, previous: secret }));
    expect(verdict).toMatchObject({ good: true, title: "Signed with the previous secret." });
  });
  test("says how old a right signature is", async () => {
    expect((await verdictOn(() => ({}), 412)).title).toBe("Right, but 412 s old; the limit is 300 s.");
  });
  test("tells another secret from a changed body only as far as it can", async () => {
    expect((await verdictOn(() => ({ secret: other }))).code).toBe("SIGNATURE_MISMATCH");
  });
  test("asks for what is missing", async () => {
    expect((await verdictOn(() => ({ secret: "" }))).code).toBe("SECRET_MISSING");
    expect((await verdictOn(() => ({ headers: "content-type: text/plain" }))).code).toBe("HEADER_MISSING");
  });
});

test("headers are read as people paste them", () => {
  const right = { "mave-signature": "t=1, v1=ab" };
  expect(readHeaders("t=1, v1=ab")).toEqual(right);
  expect(readHeaders("Mave-Signature: t=1, v1=ab\r\n")).toEqual(right);
  expect(readHeaders("  -H 'mave-signature: t=1, v1=ab' \\")).toEqual(right);
  expect(readHeaders('"mave-signature": "t=1, v1=ab",')).toEqual(right);
});
