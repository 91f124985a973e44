/** Checks that the files, sections, commands and examples named in the documents exist. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../support/server.ts";

const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .trim()
  .split("\n");
const read = (page: string) => readFile(join(ROOT, page), "utf8");

/** Returns the anchor that GitHub generates for a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

describe.each(pages)("%s", (page) => {
  test("links only to files and sections that exist", async () => {
    const text = (await read(page)).replace(/^```[\s\S]*?^```/gm, "");
    const broken: string[] = [];
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path, section] = target!.split("#");
      const file = path ? join(dirname(page), path) : page;
      if (!existsSync(join(ROOT, file))) broken.push(target!);
      else if (section) {
        const headings = [...(await read(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!));
        if (!headings.includes(section)) broken.push(target!);
      }
    }
    expect(broken).toEqual([]);
  });

  test("names only files and folders that exist", async () => {
    const named = [
      ...(await read(page)).matchAll(/`((?:server|packages|dashboard|test|bench|examples|docs|scripts)\/[\w./-]*)`/g),
    ];
    expect(named.map(([, path]) => path!).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("names only commands that package.json defines", async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    const named = [...(await read(page)).matchAll(/npm (?:run )?(?:-s )?(start|test|demo|dev|check|bench|mave)\b/g)];
    expect(named.map(([, name]) => name).filter((name) => !(name! in scripts))).toEqual([]);
  });
});

test("ARCHITECTURE.md follows an event from the API to the settled delivery in at most twelve files", async () => {
  const story = (await read("ARCHITECTURE.md")).split("## The path of an event")[1]!.split("\n## ")[0]!;
  const steps = [...story.matchAll(/^\d\. `([^`]+)`/gm)];
  const files = new Set([...story.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file!));
  expect(files.size).toBeLessThanOrEqual(12);
  expect(steps.at(0)![1]).toMatch(/http/);
  expect(steps.at(-1)![1]).toMatch(/settle/);
});

test("the receiver in README.md is part of the example that the tests run", async () => {
  const [, code] = /^```js\n([\s\S]*?)^```$/m.exec(await read("README.md"))!;
  expect(await read("examples/receivers/express.mjs")).toContain(code);
});

test("every test named in docs/guarantees.md exists in the named file", async () => {
  const named = [...(await read("docs/guarantees.md")).matchAll(/^- `([^`]+\.test\.ts)`: (.+)$/gm)];
  expect(named.length).toBeGreaterThan(20);
  for (const [, file, sentence] of named)
    for (const part of sentence!.split(" › ")) expect(await read(file!), `${file}: ${sentence}`).toContain(`"${part}"`);
});

test("docs/dependencies.md gives a reason for each package in package.json and lists no other packages", async () => {
  const packages = new Set<string>();
  for (const place of [".", "server", "dashboard", "packages/webhooks"]) {
    const manifest = JSON.parse(await readFile(join(ROOT, place, "package.json"), "utf8"));
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"])
      for (const name of Object.keys(manifest[kind] ?? {})) if (!name.startsWith("@mave/")) packages.add(name);
  }
  const rows = (await read("docs/dependencies.md")).split("\n").filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((row) => [...row.split(" | ")[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  expect(named.toSorted()).toEqual([...packages].toSorted());
});
