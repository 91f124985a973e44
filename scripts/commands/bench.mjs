// `npm run bench [name …]`: runs bench/<name>.ts, or all of them, one after the other.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/places.mjs";
import { runUntilEnd } from "../lib/process.mjs";
import { Failure } from "../lib/steps.mjs";

export async function bench(words) {
  const folder = join(ROOT, "bench");
  const all = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => name.slice(0, -3))
    : [];
  const names = words.filter((word) => !word.startsWith("-"));
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new Failure(`There is no bench "${unknown.join('", "')}". There are: ${all.join(", ")}.`);
  const options = words.filter((word) => word.startsWith("-"));
  let code = 0;
  for (const name of names.length > 0 ? names : all) {
    code =
      (await runUntilEnd(
        ["--conditions=source", "--expose-gc", `bench/${name}.ts`, ...options],
        {},
        { channel: false },
      )) || code;
  }
  return code;
}
