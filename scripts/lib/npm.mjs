import { environment, nodePath, read, which } from "./places.mjs";
import { Failure, quietly } from "./steps.mjs";

// No package of ours needs its install script: the one that matters makes links, which the server does by itself.
const OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

/** Runs npm under the Node in use. @throws Failure with what npm said */
export async function npm(name, words, folder) {
  const own = process.env.npm_execpath; // set where npm has started us: surely there, and the one that was meant
  const [program, ...first] = own?.endsWith(".js") ? [nodePath(), own] : [which("npm") ?? "npm"];
  const { ok, log } = await quietly(`npm-${name}`, program, [...first, ...words, ...OPTIONS], {
    cwd: folder,
    env: environment(),
  });
  if (!ok) throw new Failure(explain(read(log) ?? "", log));
}

function explain(output, log) {
  const said = /npm error (?!code|errno|syscall|path|A complete log)(.+)/.exec(output)?.[1] ?? "npm could not be run";
  const advice = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(output)
    ? "The npm registry does not answer: check the network, or `npm config get registry`"
    : /EACCES|EPERM|EROFS/.test(output)
      ? "This user may not write here: run it as the user who owns the folder, or make a clone of your own"
      : /ENOSPC/.test(output)
        ? "The disk is full: make room"
        : `The whole output is in ${log}`;
  return `Packages could not be installed: ${said.trim()}. ${advice}, then run the same command again.`;
}
