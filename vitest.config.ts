import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

// Inside the repository a workspace package is its own source, not its build.
const conditions = ["source", "module", "node", "development|production"];
// What runs in Node is resolved as Node does it: "module" is for bundlers, and @opentelemetry/api's is not runnable here.
const node = ["source", "node", "development|production"];

const BROWSER = "test/browser/**/*.test.ts";

const project = (name: string, test: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions: node, externalConditions: ["source", "node"] } },
  test: {
    name,
    expect: { poll: { timeout: 30_000, interval: 25 } }, // a busy machine is no failure
    testTimeout: 60_000,
    hookTimeout: 120_000,
    ...test,
  },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/counts.ts"],
    globalSetup: ["test/support/postgres.ts"],
    teardownTimeout: 20_000,
    maxWorkers: 3, // on two cores: half of the time a file waits for what it has killed, stopped or sent
    projects: [
      // A proof is not repeated: an event that is lost once in a hundred runs would pass.
      project("node", {
        include: [
          "server/src/**/*.test.ts",
          "packages/*/{src,test}/**/*.test.ts",
          "test/**/*.test.ts",
          "dashboard/{src,test}/**/*.test.ts",
        ],
        exclude: [BROWSER],
      }),
      // Shown as a retry: a browser that a machine lets stand still for a minute is no reason to refuse a change.
      project("browser", { include: [BROWSER], retry: process.env.CI ? 1 : 0 }),
    ],
  },
});
