// `npm run check`: types, style, dead code, packages, the API's description. One line each; what is wrong below it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { nodePath, ROOT, read, which } from "../lib/places.mjs";
import { quietly } from "../lib/steps.mjs";

const SDK = join(ROOT, "packages/webhooks");
const CHECKS = [
  ["types", "tsc", ["-p", "."]],
  ["types of the dashboard", "tsc", ["-p", "dashboard"], { needs: "dashboard/tsconfig.json" }],
  ["style", "biome", ["check", "--error-on-warnings", "."]],
  ["dead code", "knip", ["--no-progress"]],
  ["build of @mave/webhooks", "tsdown", [], { cwd: SDK }],
  ["package @mave/webhooks", "publint", ["--strict"], { cwd: SDK }],
  ["its types", "attw", ["--pack", ".", "--profile", "esm-only"], { cwd: SDK }],
  [
    "description of the API",
    "node",
    ["--conditions=source", "server/src/http/print-openapi.ts", ".cache/openapi.json"],
  ],
  ["lint of that", "redocly", ["lint", ".cache/openapi.json"]],
];

export async function check() {
  let wrong = 0;
  for (const [name, program, words, { cwd = ROOT, needs = "package.json" } = {}] of CHECKS) {
    if (!existsSync(join(ROOT, needs))) continue;
    const begun = Date.now();
    const path = program === "node" ? nodePath() : (which(program) ?? program);
    const { ok, log } = await quietly(`check-${name.replaceAll(/\W+/g, "-")}`, path, words, { cwd });
    console.log(`${ok ? "✓" : "✗"} ${name}  ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    if (ok) continue;
    wrong += 1;
    console.log(read(log));
  }
  console.log(wrong === 0 ? "Everything is as it should be." : `${wrong} of these found something.`);
  return wrong === 0 ? 0 : 1;
}
