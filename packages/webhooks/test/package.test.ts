/** Tests the built package: its size, and its behavior on every supported runtime. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "tsdown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const runtimes = join(import.meta.dirname, "runtimes");
const out = await mkdtemp(join(tmpdir(), "mave-webhooks-"));
afterAll(() => rm(out, { recursive: true }));

/** Bundles a file with everything it imports. The package itself comes from dist, as it does for its users. */
async function bundle(name: string, file: string, minify = false): Promise<string> {
  const whole = { dts: false, minify, platform: "neutral" as const, fixedExtension: false, clean: false };
  const deps = { alwaysBundle: [/^@mave/], neverBundle: [/^node:/], onlyBundle: false as const };
  await build({ ...whole, deps, config: false, cwd: root, entry: { [name]: file }, outDir: out, logLevel: "error" });
  return join(out, `${name}.js`);
}

beforeAll(async () => {
  await build({ cwd: root, logLevel: "error" });
  if (!existsSync(join(runtimes, "node_modules"))) {
    await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: runtimes }).catch(() => undefined); // each test reports what is missing
  }
}, 300_000);

test("the package has no dependencies", async () => {
  const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  expect(dependencies).toBeUndefined();
});

test("the core is at most 5 kB after bundling, minifying and gzipping", async () => {
  const core = await bundle("core", "dist/index.js", true);
  expect(gzipSync(await readFile(core)).length).toBeLessThanOrEqual(5_000);
});

describe("the package runs on", () => {
  const installed = (path: string) => join(runtimes, "node_modules", path);
  const deno = ["run", "--no-config", "--no-remote"];
  const commands: [name: string, binary: string, args: string[]][] = [
    ["this Node", process.execPath, []],
    ["Node 20", installed("node-20/bin/node"), []],
    ["Node 22", installed("node-22/bin/node"), []],
    ["Deno", installed("@deno/linux-x64-glibc/deno"), deno],
    ["Bun", installed("@oven/bun-linux-x64-baseline/bin/bun"), []],
  ];
  const missing = (name: string) =>
    `${name} skipped: npm has no binary for this machine, or the registry is unreachable`;

  test.for(commands)("%s", { timeout: 60_000 }, async ([name, binary, args], { skip }) => {
    skip(!existsSync(binary), missing(name));
    const file = await bundle(`cli-${name.replaceAll(" ", "-")}`, "test/runtimes/cli.js");
    const { stdout } = await run(binary, [...args, file], { cwd: out });
    expect(JSON.parse(stdout)).toEqual({ failures: [] });
  });

  test("workerd, the runtime of Cloudflare Workers", { timeout: 60_000 }, async ({ skip }) => {
    const binary = installed("@cloudflare/workerd-linux-64/bin/workerd");
    skip(!existsSync(binary), missing("workerd"));
    await bundle("worker", "test/runtimes/worker.js");
    await copyFile(join(runtimes, "workerd.capnp"), join(out, "workerd.capnp"));
    const { stdout, stderr } = await run(binary, ["test", "workerd.capnp"], { cwd: out });
    expect(stdout + stderr).toContain('{"failures":[]}');
  });
});
