import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Attempt } from "../api/types.ts";
import { asCurl } from "./curl.ts";

test("the curl command preserves every byte of the body in a shell", () => {
  const body = `{"name":"it's $HOME \`x\` \\"q\\"","more":"!"}`;
  const attempt = {
    url: "https://a.example/?a=1&b='2'",
    request: { headers: { "content-type": "application/json" }, body },
  };
  const command = asCurl(attempt as unknown as Attempt).replace(/^curl/, "printf '%s\\n'");
  const words = execFileSync("sh", ["-c", command], { encoding: "utf8" }).split("\n");
  expect(words).toContain(attempt.url);
  expect(words).toContain(body);
  expect(words).toContain("content-type: application/json");
});
