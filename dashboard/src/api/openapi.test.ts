import { readFile } from "node:fs/promises";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";
import { openApiDocument } from "../../../server/src/http/print-openapi.ts";

test("the dashboard's types match the current API", async () => {
  const document = JSON.stringify(await openApiDocument());
  const fresh = COMMENT_HEADER + astToString(await openapiTS(document, { alphabetize: true }));
  const kept = await readFile(new URL("openapi.gen.ts", import.meta.url), "utf8");
  expect(kept === fresh, "the API has changed: npm run types -w dashboard").toBe(true);
});
