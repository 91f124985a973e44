import { defineConfig } from "vitest/config";

// Inside the repository a workspace package is its own source, not its build.
const conditions = ["source", "module", "node", "development|production"];
// What runs in Node is resolved as Node does it: "module" is for bundlers, and @opentelemetry/api's is not runnable here.
const node = ["source", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions: node, externalConditions: ["source", "node"] } },
  test: {
    reporters: ["default", "./test/support/counts.ts"],
    include: [
      "server/src/**/*.test.ts",
      "packages/*/{src,test}/**/*.test.ts",
      "test/**/*.test.ts",
      "dashboard/{src,test}/**/*.test.ts",
    ],
    globalSetup: ["test/support/postgres.ts"],
    expect: { poll: { timeout: 30_000, interval: 25 } }, // a busy machine is no failure
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    maxWorkers: 3, // on two cores: half of the time a file waits for what it has killed, stopped or sent
    retry: process.env.CI ? 1 : 0, // shown as a retry: a machine that stalls for a minute is no reason to refuse a change
  },
});
