import { environment, nodePath, read, which } from "./places.mjs";
import { Failure, quietly } from "./steps.mjs";

// No dependency needs its install script. The only one that matters creates links, which the server creates itself.
const OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

/** Runs npm with the selected Node. @throws Failure with npm's error */
export async function npm(name, args, folder) {
  const parentNpm = process.env.npm_execpath; // the npm that started this process, if any
  const [program, ...first] = parentNpm?.endsWith(".js") ? [nodePath(), parentNpm] : [which("npm") ?? "npm"];
  const { ok, log } = await quietly(`npm-${name}`, program, [...first, ...args, ...OPTIONS], {
    cwd: folder,
    env: environment(),
  });
  if (!ok) throw new Failure(explain(read(log) ?? "", log));
}

function explain(output, log) {
  const reason = /npm error (?!code|errno|syscall|path|A complete log)(.+)/.exec(output)?.[1] ?? "npm failed to start";
  const advice = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(output)
    ? "The npm registry is unreachable. Check the network and `npm config get registry`"
    : /EACCES|EPERM|EROFS/.test(output)
      ? "This user cannot write to the folder. Run the command as the folder's owner, or clone the repository again"
      : /ENOSPC/.test(output)
        ? "The disk is full. Free some space"
        : `See ${log} for the full output`;
  return `Failed to install packages: ${reason.trim()}. ${advice}, then run the command again.`;
}
