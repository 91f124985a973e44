// Selects the Node that Mave runs on: the system's Node if it is new enough, otherwise a copy from the npm registry.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./npm.mjs";
import { ROOT, read, useNode } from "./places.mjs";
import { Failure, step } from "./steps.mjs";

const OLDEST = [22, 18]; // the first version that runs TypeScript without flags
const FOLDER = join(ROOT, "runtime");

export async function ensureRuntime() {
  if (isNewEnough(process.versions.node)) return;
  const name = `node-${process.platform}-${process.arch}`;
  const version = JSON.parse(read(FOLDER, "package.json")).optionalDependencies[name];
  if (version === undefined) {
    throw new Failure(
      `Mave needs Node ${OLDEST.join(".")} or newer; this is ${process.versions.node}. No bundled Node is available for ` +
        `${process.platform} on ${process.arch}. Install Node 24 from https://nodejs.org and run the command again.`,
    );
  }
  const folder = join(FOLDER, "node_modules", name);
  const installed = () =>
    existsSync(join(folder, "bin/node")) && JSON.parse(read(folder, "package.json") ?? "{}").version === version;
  if (!installed()) {
    await step(`Installing Node ${version}`, () => npm("node", ["ci"], FOLDER));
    if (!installed())
      throw new Failure(
        `npm did not install ${name} ${version}. Delete ${FOLDER}/node_modules and run the command again.`,
      );
  }
  useNode(join(folder, "bin/node"));
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
