// Installs the packages in package-lock.json if the file has changed since the last installation.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./npm.mjs";
import { ROOT, read } from "./places.mjs";
import { step } from "./steps.mjs";

const MODULES = join(ROOT, "node_modules");
const STAMP = join(MODULES, ".mave-installed");

export async function ensurePackages() {
  const lock = read(ROOT, "package-lock.json");
  const wanted = `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}`;
  if (read(STAMP) === wanted) return;
  if (!isInstalled(lock)) {
    rmSync(STAMP, { force: true });
    const all = expected(lock).length;
    await step(
      "Installing packages",
      () => npm("packages", ["ci"], ROOT),
      () => `${countInstalled()} of ${all}`,
    );
  }
  writeFileSync(STAMP, wanted); // written last, so that an interrupted installation is repeated
}

/** Checks whether npm's record lists all required packages, so that a manual `npm install` also counts. */
function isInstalled(lock) {
  const record = read(MODULES, ".package-lock.json");
  if (record === null) return false;
  const installed = JSON.parse(record).packages;
  return expected(lock).every(([path, { version, link }]) => {
    if (link) return existsSync(join(ROOT, path));
    return installed[path]?.version === version && existsSync(join(ROOT, path, "package.json"));
  });
}

/** Returns the packages from the lock file that this machine needs. */
function expected(lock) {
  const fits = (list, own) => list === undefined || [list].flat().includes(own);
  return Object.entries(JSON.parse(lock).packages).filter(([path, { os, cpu, libc, optional }]) => {
    const needed = !optional || (os !== undefined && libc === undefined);
    return path.startsWith("node_modules/") && needed && fits(os, process.platform) && fits(cpu, process.arch);
  });
}

function countInstalled() {
  if (!existsSync(MODULES)) return 0;
  const names = readdirSync(MODULES).filter((name) => !name.startsWith("."));
  return names.reduce((sum, name) => sum + (name.startsWith("@") ? readdirSync(join(MODULES, name)).length : 1), 0);
}
