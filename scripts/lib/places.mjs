// Paths, and the environment for child processes.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The folder for logs, stamps and compiled code. It can be deleted at any time. */
export const CACHE = join(ROOT, ".cache");

let node = process.execPath;
/** Returns the path of the Node binary that runs commands. */
export const nodePath = () => node;
export const useNode = (path) => {
  node = path;
};

/**
 * Returns this process's environment, but without npm's variables and with the selected Node and node_modules/.bin
 * first in PATH.
 */
export function environment(more = {}) {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:package|lifecycle|config_local_prefix)/.test(name),
  );
  const path = [dirname(node), join(ROOT, "node_modules/.bin"), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(own), PATH: path, NODE_COMPILE_CACHE: join(CACHE, "compiled"), ...more };
}

/** Returns the file's text, or null if the file does not exist. */
export function read(...path) {
  const file = join(...path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

/** Returns the program's path, or null if the program is not in PATH. */
export function which(program) {
  const folders = (environment().PATH ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  return found ?? null;
}
