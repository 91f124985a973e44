import { describe, expect, test } from "vitest";
import { sign, verify } from "../src/index.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const body = '{"id":"j3bw2jWb6q7aWGwChsgR86","object":"event"}';
const now = 1_643_723_823;
const headers = await sign(body, secret, { now });

describe("a failed verification", () => {
  test("explains how to get the raw body if the body was parsed", async () => {
    for (const parsed of [JSON.parse(body), [], 5, true]) {
      await expect(verify(parsed, headers, secret, { now })).rejects.toMatchObject({
        code: "BODY_PARSED",
        status: 500,
        message: expect.stringContaining("express.raw"),
      });
    }
  });

  test("distinguishes an empty body from a parsed one", async () => {
    for (const nothing of [undefined, null, "", new Uint8Array()]) {
      await expect(verify(nothing as string, headers, secret, { now })).rejects.toMatchObject({ code: "BODY_EMPTY" });
    }
  });

  test("reports an unset environment variable instead of using the secret 'undefined'", async () => {
    for (const missing of [undefined, null, "", [], [undefined], {}]) {
      const verifying = verify(body, headers, missing as unknown as string, { now });
      await expect(verifying).rejects.toMatchObject({ code: "SECRET_MISSING", status: 500 });
    }
  });

  test("reports how far the clock is off, and in which direction", async () => {
    await expect(verify(body, headers, secret, { now: now + 425 })).rejects.toThrow(
      /7 min 5 s ago; the limit is 5 min/,
    );
    await expect(verify(body, headers, secret, { now: now - 420 })).rejects.toThrow(/7 min in the future/);
  });

  test("reports how many signatures and secrets were compared", async () => {
    const others = ["whsec_one", "whsec_two"];
    await expect(verify(body, headers, others, { now })).rejects.toThrow(/any of the 2 secrets/);
    const rotating = await sign(body, others, { now });
    await expect(verify(body, rotating, secret, { now })).rejects.toThrow(/None of the 2 signatures/);
  });

  test("reports what is wrong with a malformed header", async () => {
    const cases = {
      "v1=00": /has no t value/,
      "t=1, t=2, v1=00": /has 2 t values/,
      "t=1643723823000, v1=00": /milliseconds/,
      "t=1643723823": /has no v1 value/,
      "t=1643723823, v1=00": /64 hexadecimal/,
    };
    for (const [value, message] of Object.entries(cases)) {
      await expect(verify(body, { "mave-signature": value }, secret, { now })).rejects.toThrow(message);
    }
  });

  test("never reveals the secret, the body or the header", async () => {
    const hostile = { "Mave-Signature": "t=1643723823, v1=<script>" };
    const error = await verify(body, hostile, secret, { now }).catch((reason: Error) => reason);
    expect(String(error)).not.toMatch(/script|j3bw2|AAEC/);
  });

  test("throws a TypeError for an invalid tolerance or time, and never accepts the request", async () => {
    for (const options of [{ tolerance: Number.NaN }, { tolerance: -1 }, { now: Number.NaN }, { now: now * 1000 }]) {
      await expect(verify(body, headers, secret, { now, ...options })).rejects.toThrow(TypeError);
    }
  });
});

describe("verify", () => {
  test("accepts the body as text, bytes, a Buffer, an ArrayBuffer, or a view into a larger buffer", async () => {
    const bytes = new TextEncoder().encode(body);
    const padded = new Uint8Array([0, ...bytes, 0]);
    const forms = [body, bytes, Buffer.from(body), bytes.buffer, padded.subarray(1, -1), new DataView(bytes.buffer)];
    for (const form of forms) {
      expect(await verify(form as Uint8Array, headers, secret, { now })).toEqual(JSON.parse(body));
    }
  });

  test("accepts a Headers object, or a plain object with names in any case and array values", async () => {
    const value = headers["Mave-Signature"]!;
    const forms = [new Headers(headers), { "MAVE-SIGNATURE": value }, { "mave-signature": [value], other: undefined }];
    for (const form of forms) expect(await verify(body, form, secret, { now })).toEqual(JSON.parse(body));
  });

  test("accepts a header with 500 signatures that do not match before one that does", async () => {
    const v1 = headers["Mave-Signature"]!.split(", ")[1];
    const long = `t=${now}, ${Array(500).fill(`v1=${"0".repeat(64)}`)}, ${v1}`;
    expect(await verify(body, { "mave-signature": long }, secret, { now })).toEqual(JSON.parse(body));
  });
});

describe("sign", () => {
  test("omits the Standard Webhooks headers if the body has no id or a secret is not whsec_ followed by base64", async () => {
    expect(Object.keys(await sign("{}", secret))).toEqual(["Mave-Signature"]);
    expect(Object.keys(await sign(body, "webhook-secret"))).toEqual(["Mave-Signature"]);
    expect(Object.keys(await sign(body, "whsec_not base64".replace(" ", "*")))).toEqual(["Mave-Signature"]);
  });

  test("uses the current time by default, so that verify accepts the request", async () => {
    expect(await verify(body, await sign(body, secret), secret)).toEqual(JSON.parse(body));
  });
});
