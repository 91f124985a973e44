// `npm run check`: checks types, style, dead code, the SDK package and the OpenAPI document. It prints one line per
// check, followed by any errors.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { nodePath, ROOT, read, which } from "../lib/places.mjs";
import { quietly } from "../lib/steps.mjs";

const SDK = join(ROOT, "packages/webhooks");
const CHECKS = [
  ["types", "tsc", ["-p", "."]],
  ["dashboard types", "tsc", ["-p", "dashboard"], { needs: "dashboard/tsconfig.json" }],
  ["style", "biome", ["check", "--error-on-warnings", "."]],
  ["dead code", "knip", ["--no-progress"]],
  ["@mave/webhooks build", "tsdown", [], { cwd: SDK }],
  ["@mave/webhooks package", "publint", ["--strict"], { cwd: SDK }],
  ["@mave/webhooks types", "attw", ["--pack", ".", "--profile", "esm-only"], { cwd: SDK }],
  ["OpenAPI description", "node", ["--conditions=source", "server/src/http/print-openapi.ts", ".cache/openapi.json"]],
  ["OpenAPI lint", "redocly", ["lint", ".cache/openapi.json"]],
];

export async function check() {
  let failed = 0;
  for (const [name, program, args, { cwd = ROOT, needs = "package.json" } = {}] of CHECKS) {
    if (!existsSync(join(ROOT, needs))) continue;
    const start = Date.now();
    const path = program === "node" ? nodePath() : (which(program) ?? program);
    const { ok, log } = await quietly(`check-${name.replaceAll(/\W+/g, "-")}`, path, args, { cwd });
    console.log(`${ok ? "✓" : "✗"} ${name}  ${((Date.now() - start) / 1000).toFixed(1)} s`);
    if (ok) continue;
    failed += 1;
    console.log(read(log));
  }
  console.log(failed === 0 ? "All checks passed." : `${failed} of ${CHECKS.length} checks failed.`);
  return failed === 0 ? 0 : 1;
}
