import { describe, expect, test } from "vitest";
import { longUuid, shortUuid } from "../../../server/src/kernel/short-uuid.ts";
import { REASONS, sign, verify } from "../src/index.ts";
import { signatureHeaders, verifySync } from "../src/node.ts";
import vectors from "../vectors.json" with { type: "json" };

describe("vectors.json: verify", () => {
  test.each(vectors.verify)("$name → $reason", async ({ body, headers, secrets, now, tolerance, valid, reason }) => {
    const options = { now, tolerance };
    const bySubtle = () => verify(body, headers, secrets, options);
    const byNode = async () => verifySync(Buffer.from(body), headers, secrets, options);
    for (const verification of [bySubtle, byNode]) {
      if (valid) expect(await verification()).toEqual(JSON.parse(body));
      else await expect(verification()).rejects.toMatchObject({ name: "WebhookVerificationError", code: reason });
    }
  });

  test("every reason code has a vector, except for errors that JSON cannot express", () => {
    const inVectors = new Set(vectors.verify.map(({ reason }) => reason));
    const notInJson = ["BODY_PARSED", "BODY_TOO_LARGE"];
    expect(Object.keys(REASONS).filter((code) => !inVectors.has(code))).toEqual(notInJson);
  });
});

describe("vectors.json: sign", () => {
  test.each(vectors.sign)("$name", async ({ body, headers, secrets, id, t }) => {
    expect(await sign(body, secrets, { id, now: t })).toEqual(headers);
    expect(signatureHeaders({ body: Buffer.from(body), id, time: t, secrets })).toEqual(headers);
    expect(await verify(body, headers, secrets.at(-1)!, { now: t })).toEqual(JSON.parse(body));
  });
});

describe("vectors.json: short UUIDs", () => {
  test.each(vectors.short_uuids.good)("$short is $uuid", ({ uuid, short }) => {
    expect(shortUuid(uuid)).toBe(short);
    expect(longUuid(short)).toBe(uuid);
  });
  test.each(vectors.short_uuids.bad)("$short is rejected: $reason", ({ short }) => {
    expect(longUuid(short)).toBeNull();
  });
});
