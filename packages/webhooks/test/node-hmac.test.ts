import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { oneShotHmac } from "../src/node-hmac.ts";

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });

test("oneShotHmac returns the same result as createHmac for keys of any length", () => {
  fc.assert(
    fc.property(bytes(200), ascii, bytes(9_000), fc.constantFrom("hex", "base64"), (key, head, body, encoding) => {
      const expected = createHmac("sha256", key).update(head).update(body).digest(encoding);
      expect(oneShotHmac(key, head, body, encoding)).toBe(expected);
    }),
  );
});
