import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

// Inside the repository, a workspace package resolves to its source, not to its build.
const conditions = ["source", "module", "node", "development|production"];
// Code that runs in Node resolves imports as Node does, that is, without "module", which is meant for bundlers. For
// example, Node cannot load the "module" build of @opentelemetry/api.
const node = ["source", "node", "development|production"];

const BROWSER = "test/browser/**/*.test.ts";
const LONG = "**/*.long.test.ts";
/** The long tests repeat these files with more kills, longer waits and more seeds. */
const SCALED = ["test/crash/{database-away,kill-service,nodes,sigterm}.test.ts", "test/sim/simulation.test.ts"];

/** Which tests to run: the default ones if unset, the long ones if "only", or both if "also", as in CI. */
const { TEST_LONG } = process.env;

const project = (name: string, test: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions: node, externalConditions: ["source", "node"] } },
  test: {
    name,
    expect: { poll: { timeout: 30_000, interval: 25 } }, // long enough that no test fails on a busy machine
    testTimeout: 60_000,
    hookTimeout: 120_000,
    ...test,
  },
});

const short = [
  // No retries, because a second run would hide an event that is lost once in a hundred runs.
  project("node", {
    include: [
      "server/src/**/*.test.ts",
      "packages/*/{src,test}/**/*.test.ts",
      "test/**/*.test.ts",
      "dashboard/{src,test}/**/*.test.ts",
    ],
    exclude: [BROWSER, LONG, ...(TEST_LONG === "also" ? SCALED : [])],
  }),
  // CI retries a browser test once and reports the retry, because Chromium on a shared machine may stall for a minute.
  project("browser", { include: [BROWSER], retry: process.env.CI ? 1 : 0 }),
];

const long = project("long", {
  include: [LONG, ...SCALED],
  exclude: ["**/node_modules/**"],
  env: {
    CRASH_FACTOR: process.env.CRASH_FACTOR ?? "5",
    SIM_SECONDS: process.env.SIM_SECONDS ?? "60",
  },
});

const projects = { only: [long], also: [...short, long] }[TEST_LONG ?? ""] ?? short;

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/counts.ts"],
    globalSetup: ["test/support/postgres.ts"],
    teardownTimeout: 20_000,
    maxWorkers: 3, // even on two cores, because test files spend half of their time waiting for other processes
    projects,
  },
});
