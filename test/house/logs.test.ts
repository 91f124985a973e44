import { expect, test } from "vitest";
import { sources } from "./source.ts";

/** These files log a constant that they define or a message that they receive from the sign-in library. */
const EXCEPTIONS = ["server/src/auth/better-auth.ts", "server/src/store/open-store.ts"];

test("a log message is a constant sentence, capitalized, without a final period", () => {
  const wrong = sources("server/src").flatMap(({ path, logCalls }) =>
    logCalls
      .filter(({ message }) => message !== null || !EXCEPTIONS.includes(path))
      .filter(({ message }) => message === null || !/^(?:[A-Z]|`)(?:.*[^.])$/s.test(message))
      .map(({ line, message }) => `${path}:${line}  ${message ?? "(not a string literal)"}`),
  );
  expect(wrong, 'Put variables into fields: log.warn({ err, webhook }, "Claim failed; retrying").').toEqual([]);
});
