// Builds the dashboard and the embed page's player if their sources have changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { environment, nodePath, ROOT, read } from "./places.mjs";
import { Failure, quietly, step } from "./steps.mjs";

const FOLDER = join(ROOT, "dashboard");
const STAMP = join(FOLDER, "dist/.built-from");
/** Everything that the build depends on, including sources outside the dashboard folder. */
const SOURCES = [
  "dashboard/embed/main.ts",
  "dashboard/embed/player.ts",
  "dashboard/index.html",
  "dashboard/package.json",
  "dashboard/vite.config.ts",
  "dashboard/vite.embed.config.ts",
  "dashboard/public",
  "dashboard/src",
  "examples/receivers",
  "packages/webhooks/src",
  "package-lock.json",
];

export async function ensureDashboard() {
  const wanted = fingerprint();
  if (read(STAMP) === wanted) return;
  rmSync(STAMP, { force: true });
  await step("Building the dashboard", build);
  writeFileSync(STAMP, wanted); // written last, so that an interrupted build is repeated
}

async function build() {
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const env = environment({ NODE_ENV: "production" });
  for (const config of ["vite.config.ts", "vite.embed.config.ts"]) {
    const { ok, log } = await quietly("dashboard", nodePath(), [vite, "build", "--config", config], {
      cwd: FOLDER,
      env,
    });
    if (!ok)
      throw new Failure(`Failed to build the dashboard. See ${log} for the error, fix it, and run the command again.`);
  }
}

function fingerprint() {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((source) => filesOf(join(ROOT, source))).sort()) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesOf(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !/\.test\.tsx?$/.test(entry.name))
      .flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]));
  } catch (error) {
    if (error.code === "ENOTDIR") return [path];
    throw error;
  }
}
