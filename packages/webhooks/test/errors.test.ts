import { describe, expect, test } from "vitest";
import { sign, verify } from "../src/index.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const body = '{"id":"j3bw2jWb6q7aWGwChsgR86","object":"event"}';
const now = 1_643_723_823;
const headers = await sign(body, secret, { now });

describe("what a verification says when it fails", () => {
  test("a body that was parsed is told where to get the raw one", async () => {
    for (const parsed of [JSON.parse(body), [], 5, true]) {
      await expect(verify(parsed, headers, secret, { now })).rejects.toMatchObject({
        code: "BODY_PARSED",
        status: 500,
        message: expect.stringContaining("express.raw"),
      });
    }
  });

  test("no body at all is told from a parsed one", async () => {
    for (const nothing of [undefined, null, "", new Uint8Array()]) {
      await expect(verify(nothing as string, headers, secret, { now })).rejects.toMatchObject({ code: "BODY_EMPTY" });
    }
  });

  test("a forgotten environment variable is named, not read as the secret 'undefined'", async () => {
    for (const missing of [undefined, null, "", [], [undefined], {}]) {
      const verifying = verify(body, headers, missing as unknown as string, { now });
      await expect(verifying).rejects.toMatchObject({ code: "SECRET_MISSING", status: 500 });
    }
  });

  test("a clock that is 7 minutes off is told how far, and which way", async () => {
    await expect(verify(body, headers, secret, { now: now + 425 })).rejects.toThrow(/7 min 5 s ago, and 5 min are/);
    await expect(verify(body, headers, secret, { now: now - 420 })).rejects.toThrow(/7 min from now/);
  });

  test("a mismatch says how many signatures and secrets were compared", async () => {
    const others = ["whsec_one", "whsec_two"];
    await expect(verify(body, headers, others, { now })).rejects.toThrow(/any of the 2 secrets/);
    const rotating = await sign(body, others, { now });
    await expect(verify(body, rotating, secret, { now })).rejects.toThrow(/None of the 2 signatures/);
  });

  test("a header that cannot be read is told what is wrong with it", async () => {
    const cases = {
      "v1=00": /has no t/,
      "t=1, t=2, v1=00": /has 2 t/,
      "t=1643723823000, v1=00": /milliseconds/,
      "t=1643723823": /has no v1/,
      "t=1643723823, v1=00": /64 hexadecimal/,
    };
    for (const [value, sentence] of Object.entries(cases)) {
      await expect(verify(body, { "mave-signature": value }, secret, { now })).rejects.toThrow(sentence);
    }
  });

  test("no message repeats the secret, the body or the header", async () => {
    const hostile = { "Mave-Signature": "t=1643723823, v1=<script>" };
    const error = await verify(body, hostile, secret, { now }).catch((reason: Error) => reason);
    expect(String(error)).not.toMatch(/script|j3bw2|AAEC/);
  });

  test("a tolerance or a time that is no number of seconds is a mistake of the caller's, never a pass", async () => {
    for (const options of [{ tolerance: Number.NaN }, { tolerance: -1 }, { now: Number.NaN }, { now: now * 1000 }]) {
      await expect(verify(body, headers, secret, { now, ...options })).rejects.toThrow(TypeError);
    }
  });
});

describe("what a verification takes", () => {
  test("the body as text, bytes, a buffer or an ArrayBuffer, also as a view into a larger one", async () => {
    const bytes = new TextEncoder().encode(body);
    const padded = new Uint8Array([0, ...bytes, 0]);
    const forms = [body, bytes, Buffer.from(body), bytes.buffer, padded.subarray(1, -1), new DataView(bytes.buffer)];
    for (const form of forms) {
      expect(await verify(form as Uint8Array, headers, secret, { now })).toEqual(JSON.parse(body));
    }
  });

  test("headers as Headers, or as a plain object in any case, with arrays", async () => {
    const value = headers["Mave-Signature"]!;
    const forms = [new Headers(headers), { "MAVE-SIGNATURE": value }, { "mave-signature": [value], other: undefined }];
    for (const form of forms) expect(await verify(body, form, secret, { now })).toEqual(JSON.parse(body));
  });

  test("a long header costs one HMAC, not one for each v1", async () => {
    const v1 = headers["Mave-Signature"]!.split(", ")[1];
    const long = `t=${now}, ${Array(500).fill(`v1=${"0".repeat(64)}`)}, ${v1}`;
    expect(await verify(body, { "mave-signature": long }, secret, { now })).toEqual(JSON.parse(body));
  });
});

describe("sign", () => {
  test("leaves the Standard Webhooks headers out where they cannot be made", async () => {
    expect(Object.keys(await sign("{}", secret))).toEqual(["Mave-Signature"]);
    expect(Object.keys(await sign(body, "webhook-secret"))).toEqual(["Mave-Signature"]);
    expect(Object.keys(await sign(body, "whsec_not base64".replace(" ", "*")))).toEqual(["Mave-Signature"]);
  });

  test("signs for the present unless told otherwise, so that verify takes it at once", async () => {
    expect(await verify(body, await sign(body, secret), secret)).toEqual(JSON.parse(body));
  });
});
