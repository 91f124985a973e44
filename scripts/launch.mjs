// The entry point of every public command (`npm start`, `npm test`, …). Installs what the command needs, then runs it.
// This is plain JavaScript for Node 18 or newer and has no dependencies, because nothing else may be installed yet.
import { ensureDashboard } from "./lib/dashboard.mjs";
import { ensureFfmpeg } from "./lib/machine.mjs";
import { ensurePackages } from "./lib/packages.mjs";
import { runUntilEnd } from "./lib/process.mjs";
import { ensureRuntime } from "./lib/runtime.mjs";
import { Failure, interruptible } from "./lib/steps.mjs";

const SERVER = ["--conditions=source", "server/src/main.ts"];

/** Each command installs its requirements, runs, and returns its exit code. */
const COMMANDS = {
  async start() {
    await ensureInstalled();
    await ensureDashboard();
    await ensureFfmpeg();
    return runUntilEnd(SERVER);
  },
  async dev() {
    await ensureInstalled();
    await ensureFfmpeg();
    return (await import("./commands/dev.mjs")).dev();
  },
  async demo() {
    await ensureInstalled();
    await ensureDashboard();
    await ensureFfmpeg();
    return runUntilEnd(["--conditions=source", "examples/demo/demo.ts"]);
  },
  async mave(args) {
    await ensureInstalled();
    return runUntilEnd(["--conditions=source", "server/src/admin/cli.ts", ...args]);
  },
  async test(args) {
    await ensureInstalled();
    return (await import("./commands/test.mjs")).test(args);
  },
  async "test:long"(args) {
    await ensureInstalled();
    return (await import("./commands/test.mjs")).test(args, "only");
  },
  async check() {
    await ensureInstalled();
    return (await import("./commands/check.mjs")).check();
  },
  async bench(args) {
    await ensureInstalled();
    await ensureFfmpeg();
    return (await import("./commands/bench.mjs")).bench(args);
  },
};

async function ensureInstalled() {
  await ensureRuntime();
  await ensurePackages();
}

async function launch([name, ...args]) {
  const command = COMMANDS[name];
  if (command === undefined)
    throw new Failure(`Unknown command "${name}". Available: ${Object.keys(COMMANDS).join(", ")}.`);
  return command(args);
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
