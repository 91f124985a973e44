import { describe, expect, test } from "vitest";
import { sources } from "./source.ts";

const SERVER = "server/src";
const files = sources(SERVER);
const folderOf = (path: string): string => path.slice(SERVER.length + 1).split("/")[0]!;

/** `file imports file`, for those that break a rule. */
function offenders(
  where: (path: string) => boolean,
  forbidden: (from: string, typeOnly: boolean, names: string[]) => boolean,
): string[] {
  return files
    .filter(({ path }) => where(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((each) => forbidden(each.from, each.typeOnly, each.names))
        .map(({ from }) => `${path} imports ${from}`),
    );
}

const DOMAIN = ["videos", "events", "webhooks", "delivery", "net"];

describe("the direction of imports", () => {
  test("the domain knows no door and no setting", () => {
    expect(
      offenders(
        (path) => DOMAIN.includes(folderOf(path)),
        (from) =>
          from.startsWith(`${SERVER}/http/`) || [`${SERVER}/config/config.ts`, `${SERVER}/main.ts`].includes(from),
      ),
      "A domain file is handed what it needs: add a field to its parts, and let main.ts pass it.",
    ).toEqual([]);
  });

  test("only main.ts puts things together: nothing imports it", () => {
    expect(
      offenders(
        () => true,
        (from) => from === `${SERVER}/main.ts`,
      ),
      "Take what you need as an argument instead.",
    ).toEqual([]);
  });

  test("OpenTelemetry is loaded where it is wanted only: tracing.ts has it, and main.ts imports that when it runs", () => {
    const tracing = `${SERVER}/ops/tracing.ts`;
    const uses = files
      .filter(({ path }) => path !== tracing)
      .flatMap(({ path, text, imports }) =>
        imports
          .filter(({ from, typeOnly }) => !typeOnly && (from === tracing || from.startsWith("@opentelemetry/")))
          .map(
            ({ from }) => `${path} ${text.includes('await import("./ops/tracing.ts")') ? "loads" : "imports"} ${from}`,
          ),
      );
    expect(uses, "Import its types only, and be handed a Tracing or none.").toEqual([
      `${SERVER}/main.ts loads ${tracing}`,
    ]);
  });

  test("config is read by main and the operator's commands only", () => {
    expect(
      offenders(
        (path) => path !== `${SERVER}/main.ts` && folderOf(path) !== "admin",
        (from, typeOnly) => from === `${SERVER}/config/config.ts` && !typeOnly,
      ),
      "Take the one setting you need as an argument instead.",
    ).toEqual([]);
  });

  test("the store decides nothing: of the rest it knows types, the log, the clock, spawn and its own failures", () => {
    const allowed = [
      "log.ts",
      "clock.ts",
      "spawn.ts",
      "start-failure.ts",
      "limits.ts",
      "event-catalog.ts",
      "uuid.ts",
    ].map((name) => `${SERVER}/kernel/${name}`);
    expect(
      offenders(
        (path) => folderOf(path) === "store",
        (from, typeOnly) =>
          from.startsWith(SERVER) && folderOf(from) !== "store" && !typeOnly && !allowed.includes(from),
      ),
      "Decide in the domain and hand the store values; a type may be imported with `import type`.",
    ).toEqual([]);
  });

  test("the HTTP door reaches no network and starts no process by itself", () => {
    expect(
      offenders(
        (path) => folderOf(path) === "http",
        (from, typeOnly) =>
          !typeOnly && (from === `${SERVER}/kernel/spawn.ts` || from === `${SERVER}/net/safe-client.ts`),
      ),
      "Ask the domain for it.",
    ).toEqual([]);
  });

  test("the decisions are pure: no clock, no randomness, no I/O, only types, bounds and each other", () => {
    const pure = [
      "videos/video.ts",
      "videos/conversion-plan.ts",
      "delivery/delivery.ts",
      "delivery/retry-schedule.ts",
      "delivery/outcome.ts",
      "net/address-policy.ts",
      "net/address-ranges.ts",
      "net/error-words.ts",
      "kernel/event-catalog.ts",
      "kernel/short-uuid.ts",
      "kernel/limits.ts",
      "config/settings.ts",
    ].map((name) => `${SERVER}/${name}`);
    for (const path of pure)
      expect(
        files.map((file) => file.path),
        "a pure file was renamed: name it here",
      ).toContain(path);
    const open = new Set([
      ...pure,
      `${SERVER}/kernel/clock.ts`,
      `${SERVER}/kernel/errors.ts`,
      `${SERVER}/net/url-guards.ts`,
    ]);
    expect(
      offenders(
        (path) => pure.includes(path),
        (from, typeOnly, names) => {
          if (typeOnly || open.has(from)) return false;
          return !(from === "node:net" && names.every((name) => ["BlockList", "isIP"].includes(name)));
        },
      ),
      "Take the value as an argument; whoever acts on the decision fetches it.",
    ).toEqual([]);
  });
});

describe("what others build on stands alone", () => {
  test("@mave/webhooks needs nothing but the platform", () => {
    const outside = sources("packages/webhooks/src").flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ from, typeOnly }) => !typeOnly && !from.startsWith("packages/webhooks/src/") && !from.startsWith("node:"),
        )
        .map(({ from }) => `${path} imports ${from}`),
    );
    expect(
      outside,
      "A receiver installs it without dependencies: write the few lines here, or import types only.",
    ).toEqual([]);
  });

  test("the dashboard takes nothing from the server but types", () => {
    const wrong = sources("dashboard/src").flatMap(({ path, imports }) =>
      imports
        .filter(({ from, typeOnly }) => from.startsWith("server/") && !typeOnly)
        .map(({ from }) => `${path} imports ${from}`),
    );
    expect(wrong, "It speaks to the server by the API; what both know belongs in the OpenAPI description.").toEqual([]);
  });
});
