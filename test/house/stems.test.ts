import { expect, test } from "vitest";
import { paths } from "./source.ts";

/**
 * The names that several files in an area may share, because these files cover one subject in different layers or
 * pages.
 */
const SHARED: Record<string, string[]> = {
  "server/src": [
    ...[
      "access",
      "api-key",
      "attempt",
      "audit-log",
      "cancellation",
      "claim",
      "delivery",
      "doctor",
      "embed",
      "erasure",
      "event",
    ],
    ...[
      "lane",
      "lease",
      "live",
      "main",
      "media",
      "member",
      "node",
      "overview",
      "owner-mail",
      "record",
      "replay",
      "reseal",
    ],
    ...["session", "sign-in-link", "space", "upload", "video", "webhook"],
  ],
  "dashboard/src": ["detail-page", "list-page", "new-page"],
  "packages/webhooks/src": [],
  test: ["api", "database", "receiver", "server"],
  bench: [],
  scripts: [],
};

test.each(Object.entries(SHARED))("no two files in %s share a name for different subjects", (area, shared) => {
  const files = paths.filter((path) => path.startsWith(`${area}/`) && /(?<!\.test)\.(?:tsx?|mjs)$/.test(path));
  const clashes = [...Map.groupBy(files, stemOf)]
    .filter(([stem, own]) => own.length > 1 && !shared.includes(stem))
    .map(([stem, own]) => `${stem}: ${own.join(", ")}`);
  expect(clashes, "Rename one of them, or add the name to SHARED if they deal with one subject.").toEqual([]);
});

/** Returns a file's name in the singular, without its extension. */
const stemOf = (path: string): string =>
  path
    .split("/")
    .at(-1)!
    .replace(/\.\w+$/, "")
    .replace(/ies$/, "y")
    .replace(/(?<!s)s$/, "");
