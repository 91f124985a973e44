import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { oneShotHmac } from "../src/node-hmac.ts";

const bytes = (most: number) => fc.uint8Array({ maxLength: most }).map((array) => Buffer.from(array));
const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });

test("the sender's HMAC is Node's own, whatever the key's length", () => {
  fc.assert(
    fc.property(bytes(200), ascii, bytes(9_000), fc.constantFrom("hex", "base64"), (key, head, body, encoding) => {
      const expected = createHmac("sha256", key).update(head).update(body).digest(encoding);
      expect(oneShotHmac(key, head, body, encoding)).toBe(expected);
    }),
  );
});
