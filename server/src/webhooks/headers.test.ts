import { describe, expect, test } from "vitest";
import { headerFault, headersFault } from "./headers.ts";

describe("custom headers", () => {
  test("must have names and values that RFC 9110 allows", () => {
    for (const [name, value] of [
      ["X-Api-Key", "abc"],
      ["authorization", "Bearer a.b-c"],
      ["x", "a b\tc"],
    ] as const)
      expect(headerFault(name, value)).toBeNull();
    for (const [name, value] of [
      ["", "x"],
      ["a b", "x"],
      ["a:", "x"],
      ["ä", "x"],
      ["a\r\nb", "x"],
      ["x", ""],
      ["x", " a"],
      ["x", "a\r\nHost: b"],
      ["x", "ü"],
      ["x", "a\u0000"],
    ] as const)
      expect(headerFault(name, value)).not.toBeNull();
  });

  test("cannot override headers that Mave or the HTTP client sets", () => {
    for (const name of [
      "Host",
      "content-length",
      "Mave-Signature",
      "mave-anything",
      "webhook-id",
      "Webhook-Signature",
      "Connection",
      "Transfer-Encoding",
      "User-Agent",
    ])
      expect(headerFault(name, "x")).toBe("Mave sets this header itself. Remove it.");
  });

  test("must have distinct names and are limited in number", () => {
    expect(headersFault({ a: "1", A: "2" })).not.toBeNull();
    expect(headersFault(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, "1"])))).not.toBeNull();
    expect(headersFault({ a: "1", b: "2" })).toBeNull();
  });
});
