import { describe, expect, test } from "vitest";
import { headerFault, headersFault } from "./headers.ts";

describe("a webhook's own headers", () => {
  test("have names and values that RFC 9110 allows", () => {
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

  test("cannot replace those that Mave or the connection sets", () => {
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

  test("are distinct and limited in number", () => {
    expect(headersFault({ a: "1", A: "2" })).not.toBeNull();
    expect(headersFault(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, "1"])))).not.toBeNull();
    expect(headersFault({ a: "1", b: "2" })).toBeNull();
  });
});
