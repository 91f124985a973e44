// `npm run bench [name …]`: runs the named benchmarks (bench/<name>.ts), or all of them, one at a time.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/places.mjs";
import { runUntilEnd } from "../lib/process.mjs";
import { Failure } from "../lib/steps.mjs";

export async function bench(args) {
  const all = readdirSync(join(ROOT, "bench"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.slice(0, -3));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const options = args.filter((arg) => arg.startsWith("-"));
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new Failure(`Unknown benchmark "${unknown.join('", "')}". Available: ${all.join(", ")}.`);
  let code = 0;
  for (const name of names.length > 0 ? names : all) {
    const run = ["--conditions=source", `bench/${name}.ts`, ...options];
    code = (await runUntilEnd(run, {}, { channel: false })) || code;
  }
  return code;
}
