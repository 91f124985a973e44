import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Inside the repository a workspace package is its own source, not its build.
const conditions = ["source", "module", "node", "development|production"];
// What runs in Node is resolved as Node does it: "module" is for bundlers, and @opentelemetry/api's is not runnable here.
const node = ["source", "node", "development|production"];

/** What takes longest, first: begun last, one of them would run alone at the end. */
const SLOW = ["/test/sim/", "/test/crash/", "/test/browser/", "/test/setup/", "/test/"];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = SLOW.findIndex((folder) => moduleId.includes(folder));
      return place < 0 ? SLOW.length : place;
    };
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

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
    sequence: { sequencer: SlowestFirst },
    globalSetup: ["test/support/postgres.ts"],
    expect: { poll: { timeout: 30_000, interval: 25 } }, // a busy machine is no failure
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    maxWorkers: 3, // much of the time is waiting: for starts, kills, retries, pages
  },
});
