// `npm test [path …]` and `npm run test:long`: installs the programs that tests need, if possible, runs the tests, and
// prints a one-line summary.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDashboard } from "../lib/dashboard.mjs";
import { advice, install } from "../lib/machine.mjs";
import { CACHE, read, which } from "../lib/places.mjs";
import { runUntilEnd } from "../lib/process.mjs";

const DEBIAN_CLUSTER = "/usr/lib/postgresql";

/**
 * Programs that some tests need: the package's name, whether it is installed, and which tests are skipped without it.
 */
const NEEDS = [
  { name: "ffmpeg", isInstalled: () => which("ffmpeg") && which("ffprobe"), skipped: "tests that process video" },
  { name: "chromium", isInstalled: () => which("chromium") ?? which("google-chrome"), skipped: "browser tests" },
  { name: "openssl", isInstalled: () => which("openssl"), skipped: "tests with certificates" },
  {
    name: "postgresql",
    isInstalled: () => existsSync(DEBIAN_CLUSTER) && readdirSync(DEBIAN_CLUSTER).length > 0,
    skipped: "tests with their own database server",
  },
  {
    name: "pgbouncer",
    isInstalled: () => which("pgbouncer") ?? existsSync("/usr/sbin/pgbouncer"), // Debian's location, which may not be in PATH
    skipped: "tests with a connection pooler",
  },
];

/** @param {"only" | "also"} [long] whether to run the long tests alone or in addition to the others */
export async function test(args, long = process.env.TEST_LONG) {
  await ensureDashboard();
  const missing = () => NEEDS.filter(({ isInstalled }) => !isInstalled());
  if (missing().length > 0) await install(missing().map(({ name }) => name));
  for (const { name, skipped } of missing())
    console.error(`Skipping ${skipped}, because ${name} is not installed. ${advice(name)}.`);
  const without = missing()
    .map(({ name }) => name)
    .join(",");
  const counts = join(CACHE, "test-counts.json");
  rmSync(counts, { force: true });
  const code = await runUntilEnd(
    ["node_modules/vitest/vitest.mjs", "run", ...args],
    { TEST_COUNTS: counts, TEST_WITHOUT: without, ...(long && { TEST_LONG: long }) },
    { channel: false },
  );
  return summarize(read(counts), code);
}

/** Prints the summary. A run that was aborted or failed outside a test counts as one failure. */
function summarize(text, code) {
  const { passed, failed, skipped } = text === null ? { passed: 0, failed: 0, skipped: 0 } : JSON.parse(text);
  const other = failed === 0 && code !== 0 ? 1 : 0;
  console.log(`\n${passed} passed, ${failed + other} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return code;
}
