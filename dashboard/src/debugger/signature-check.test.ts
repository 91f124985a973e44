import { describe, expect, test } from "vitest";
import { checkSignature, exampleRequest, type PastedRequest, readHeaders } from "./signature-check.ts";

const NOW = 1_785_443_715;
const OTHER_SECRET = `whsec_${"A".repeat(32)}`;

/** Applies a change to the example request, then checks its signature `later` seconds after it was signed. */
const checkWith = async (change: (valid: PastedRequest) => Partial<PastedRequest>, later = 0) => {
  const valid = await exampleRequest(NOW);
  return checkSignature({ ...valid, ...change(valid) }, NOW + later);
};

describe("the signature check", () => {
  test("names the event in a valid request", async () => {
    const check = await checkWith(() => ({}));
    expect(check).toMatchObject({ valid: true, title: "The signature is valid" });
    expect(check.detail).toContain("video.created");
  });
  test("recognizes a body that was parsed and re-serialized", async () => {
    const check = await checkWith(({ body }) => ({ body: JSON.stringify(JSON.parse(body), null, 2) }));
    expect(check.title).toBe("The body was parsed and re-serialized; verify the raw bytes");
  });
  test("reports that the previous secret was used", async () => {
    const check = await checkWith(({ secret }) => ({ secret: OTHER_SECRET, previous: secret }));
    expect(check).toMatchObject({ valid: true, title: "Signed with the previous secret" });
  });
  test("reports the age of a valid but old signature", async () => {
    const check = await checkWith(() => ({}), 412);
    expect(check.title).toBe("The signature is valid but 412 s old; the limit is 300 s");
  });
  test("reports a mismatch if the secret is wrong", async () => {
    expect((await checkWith(() => ({ secret: OTHER_SECRET }))).code).toBe("SIGNATURE_MISMATCH");
  });
  test("reports a missing secret or header", async () => {
    expect((await checkWith(() => ({ secret: "" }))).code).toBe("SECRET_MISSING");
    expect((await checkWith(() => ({ headers: "content-type: text/plain" }))).code).toBe("HEADER_MISSING");
  });
});

test("pasted headers can be raw lines, curl arguments, JSON, or a bare signature", () => {
  const parsed = { "mave-signature": "t=1, v1=ab" };
  expect(readHeaders("t=1, v1=ab")).toEqual(parsed);
  expect(readHeaders("Mave-Signature: t=1, v1=ab\r\n")).toEqual(parsed);
  expect(readHeaders("  -H 'mave-signature: t=1, v1=ab' \\")).toEqual(parsed);
  expect(readHeaders('"mave-signature": "t=1, v1=ab",')).toEqual(parsed);
});
