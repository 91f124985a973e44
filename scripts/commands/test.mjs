// `npm test [path …]`: installs what the tests need where it may, runs them, and closes with one plain line.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDashboard } from "../lib/dashboard.mjs";
import { advice, install } from "../lib/machine.mjs";
import { CACHE, read, which } from "../lib/places.mjs";
import { runUntilEnd } from "../lib/process.mjs";

const DEBIAN_CLUSTER = "/usr/lib/postgresql";

/** What tests need of the machine: the package, whether it is there, and what is left out without it. */
const NEEDS = [
  { name: "ffmpeg", there: () => which("ffmpeg") && which("ffprobe"), without: "those that process a video" },
  { name: "chromium", there: () => which("chromium") ?? which("google-chrome"), without: "those in a browser" },
  { name: "openssl", there: () => which("openssl"), without: "those with certificates" },
  {
    name: "postgresql",
    there: () => existsSync(DEBIAN_CLUSTER) && readdirSync(DEBIAN_CLUSTER).length > 0,
    without: "those of a database of one's own",
  },
  {
    name: "pgbouncer",
    there: () => which("pgbouncer") ?? existsSync("/usr/sbin/pgbouncer"), // where Debian puts it, which not everybody's PATH has
    without: "those of a connection pooler",
  },
];

export async function test(words) {
  await ensureDashboard();
  const missing = () => NEEDS.filter(({ there }) => !there());
  if (missing().length > 0) await install(missing().map(({ name }) => name));
  for (const { name, without } of missing())
    console.error(`${name} is missing, so ${without} are left out. ${advice(name)}.`);
  const leftOut = missing()
    .map(({ name }) => name)
    .join(",");
  const counts = join(CACHE, "test-counts.json");
  rmSync(counts, { force: true });
  const code = await runUntilEnd(
    ["node_modules/vitest/vitest.mjs", "run", ...words],
    { TEST_COUNTS: counts, TEST_WITHOUT: leftOut },
    { channel: false },
  );
  return close(read(counts), code);
}

/** A run that broke off, or failed outside of any test, never looks like one that passed. */
function close(text, code) {
  const { passed, failed, skipped } = text === null ? { passed: 0, failed: 0, skipped: 0 } : JSON.parse(text);
  const unseen = failed === 0 && code !== 0 ? 1 : 0;
  console.log(`\n${passed} passed, ${failed + unseen} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return code;
}
