import { describe, expect, test } from "vitest";
import { type Import, type Source, sources } from "./source.ts";

const SERVER = "server/src";
const files = sources(SERVER);

/**
 * The layers, from the bottom up. A folder may import (even types) only from itself and from the layers listed before
 * its own.
 */
const LAYERS = [
  ["kernel"],
  ["config", "net", "store"],
  ["events"],
  ["videos"],
  ["webhooks"],
  ["delivery"],
  ["auth"],
  ["ops"],
  ["http"],
  ["admin"],
  ["main.ts"],
];

const folderOf = (path: string): string => path.slice(SERVER.length + 1).split("/")[0]!;
const layerOf = (path: string): number => LAYERS.findIndex((folders) => folders.includes(folderOf(path)));

/** Returns the imports that break a rule, in the form `file imports file`. */
function offenders(isForbidden: (file: Source, imported: Import) => boolean, among = files): string[] {
  return among.flatMap((file) =>
    file.imports
      .filter((imported) => isForbidden(file, imported))
      .map(({ from, typeOnly }) => `${file.path} imports ${from}${typeOnly ? " (types)" : ""}`),
  );
}

describe("server/src", () => {
  test("is layered: no folder imports from a layer above its own, not even types", () => {
    const unknown = files.filter(({ path }) => layerOf(path) === -1).map(({ path }) => path);
    expect(unknown, "Add the folder to LAYERS in test/house/imports.test.ts.").toEqual([]);
    const upward = offenders(({ path }, { from }) => {
      if (!from.startsWith(`${SERVER}/`) || folderOf(from) === folderOf(path)) return false;
      return layerOf(from) >= layerOf(path);
    });
    expect(upward, "Move the type or function down, or take the value as an argument.").toEqual([]);
  });

  test("has no import cycles between files, not even through type imports", () => {
    expect(cycles(), "Move what both files need into a third one.").toEqual([]);
  });

  test("reads its configuration only in main.ts and admin", () => {
    const readers = offenders(
      ({ path }, { from, typeOnly }) =>
        path !== `${SERVER}/main.ts` &&
        folderOf(path) !== "admin" &&
        from === `${SERVER}/config/config.ts` &&
        !typeOnly,
    );
    expect(readers, "Take the setting as an argument instead.").toEqual([]);
  });

  test("loads OpenTelemetry on demand: only tracing.ts imports it, and only main.ts loads tracing.ts, dynamically", () => {
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
    expect(uses, "Import its types only, and take a Tracing as an argument.").toEqual([
      `${SERVER}/main.ts loads ${tracing}`,
    ]);
  });

  test("opens no connections and starts no processes in http", () => {
    const direct = offenders(
      ({ path }, { from, typeOnly }) =>
        folderOf(path) === "http" &&
        !typeOnly &&
        [`${SERVER}/kernel/spawn.ts`, `${SERVER}/net/safe-client.ts`].includes(from),
    );
    expect(direct, "Call a function of the domain instead.").toEqual([]);
  });

  test("makes decisions in pure files, which import only types, limits and each other", () => {
    const pure = [
      "videos/video.ts",
      "videos/conversion-plan.ts",
      "delivery/delivery-view.ts",
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
    const names = files.map(({ path }) => path);
    for (const path of pure) expect(names, "After renaming a pure file, rename it here.").toContain(path);
    const allowed = new Set([
      ...pure,
      `${SERVER}/kernel/clock.ts`,
      `${SERVER}/kernel/errors.ts`,
      `${SERVER}/net/url-guards.ts`,
    ]);
    const impure = offenders(({ path }, { from, typeOnly, names }) => {
      if (!pure.includes(path) || typeOnly || allowed.has(from)) return false;
      return !(from === "node:net" && names.every((name) => ["BlockList", "isIP"].includes(name)));
    });
    expect(impure, "Take the value as an argument.").toEqual([]);
  });
});

describe("outside the server,", () => {
  test("@mave/webhooks has no dependencies", () => {
    const outside = offenders(
      (_, { from, typeOnly }) => !typeOnly && !from.startsWith("packages/webhooks/src/") && !from.startsWith("node:"),
      sources("packages/webhooks/src"),
    );
    expect(outside, "Write the few lines here, or import types only.").toEqual([]);
  });

  test("the dashboard imports only types from the server", () => {
    const values = offenders(
      (_, { from, typeOnly }) => from.startsWith("server/") && !typeOnly,
      sources("dashboard/src"),
    );
    expect(values, "Add what both need to the OpenAPI description.").toEqual([]);
  });
});

/** Returns all import cycles, each listed once in the form `a → b → a`. */
function cycles(): string[] {
  const imports = new Map(files.map(({ path, imports }) => [path, imports.map(({ from }) => from)]));
  const [found, done, stack]: [string[], Set<string>, string[]] = [[], new Set(), []];
  const visit = (path: string): void => {
    if (stack.includes(path)) found.push([...stack.slice(stack.indexOf(path)), path].join(" → "));
    if (stack.includes(path) || done.has(path)) return;
    stack.push(path);
    for (const from of imports.get(path) ?? []) visit(from);
    stack.pop();
    done.add(path);
  };
  for (const path of imports.keys()) visit(path);
  return found;
}
