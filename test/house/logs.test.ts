import { expect, test } from "vitest";
import { sources } from "./source.ts";

/** Folders and files that do not follow the rule yet. */
const NOT_YET = /^server\/src\/(?:http|main|ops|auth|admin|store|webhooks|videos|delivery)/;

test("a log message is a constant sentence, capitalized, without a final period", () => {
  const wrong = sources("server/src").flatMap(({ path, logCalls }) =>
    logCalls
      .filter(() => !NOT_YET.test(path))
      .filter(({ message }) => message === null || !/^(?:[A-Z]|`)(?:.*[^.])$/s.test(message))
      .map(({ line, message }) => `${path}:${line}  ${message ?? "(not a string literal)"}`),
  );
  expect(wrong, 'Put variables into fields: log.warn({ err, webhook }, "Claim failed; retrying").').toEqual([]);
});
