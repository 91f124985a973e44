// Where things are, and with which environment programs are run.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What may be deleted at any time: logs of steps, stamps, compiled code. */
export const CACHE = join(ROOT, ".cache");

let node = process.execPath;
/** The Node that everything runs on. */
export const nodePath = () => node;
export const useNode = (path) => {
  node = path;
};

/** This process's environment with our Node and our packages' programs first, and without npm's notes about this run. */
export function environment(more = {}) {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:package|lifecycle|config_local_prefix)/.test(name),
  );
  const path = [dirname(node), join(ROOT, "node_modules/.bin"), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, NODE_COMPILE_CACHE: join(CACHE, "compiled"), ...more };
}

/** The file's text, or null where there is none. */
export function read(...path) {
  const file = join(...path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** Where a program lies in PATH, or null. */
export function which(program) {
  const folders = (environment().PATH ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  return found ?? null;
}
