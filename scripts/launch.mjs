// The door of every public command: `npm start`, `npm test`, … come here. Brings along what is missing, then runs the
// command on it. Plain JavaScript for Node 18 and newer, without any package: nothing else may be there yet.
import { ensureDashboard } from "./lib/dashboard.mjs";
import { ensureFfmpeg } from "./lib/machine.mjs";
import { ensurePackages } from "./lib/packages.mjs";
import { runUntilEnd } from "./lib/process.mjs";
import { ensureRuntime } from "./lib/runtime.mjs";
import { Failure, interruptible } from "./lib/steps.mjs";

const SERVER = ["--conditions=source", "server/src/main.ts"];

/** Each command: makes sure of what it needs, does its work, and returns its exit code. */
const COMMANDS = {
  async start() {
    await ready();
    await ensureDashboard();
    await ensureFfmpeg();
    return runUntilEnd(SERVER);
  },
  async dev() {
    await ready();
    await ensureFfmpeg();
    return (await import("./commands/dev.mjs")).dev();
  },
  async demo() {
    await ready();
    await ensureDashboard();
    await ensureFfmpeg();
    return runUntilEnd(["--conditions=source", "examples/demo/demo.ts"]);
  },
  async mave(words) {
    await ready();
    return runUntilEnd(["--conditions=source", "server/src/admin/main.ts", ...words]);
  },
  async test(words) {
    await ready();
    return (await import("./commands/test.mjs")).test(words);
  },
  async check() {
    await ready();
    return (await import("./commands/check.mjs")).check();
  },
  async bench(words) {
    await ready();
    await ensureFfmpeg();
    return (await import("./commands/bench.mjs")).bench(words);
  },
};

async function ready() {
  await ensureRuntime();
  await ensurePackages();
}

async function launch([name, ...words]) {
  const command = COMMANDS[name];
  if (command === undefined)
    throw new Failure(`There is no command "${name}". There are: ${Object.keys(COMMANDS).join(", ")}.`);
  return command(words);
}

interruptible();
launch(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    if (!(error instanceof Failure)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  },
);
