// A process that runs a data folder's database until it is killed.
import { createLog } from "../../server/src/kernel/log.ts";
import { startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";

await startEmbeddedPostgres({
  folder: process.argv[2]!,
  log: createLog("silent"),
  onLost(error) {
    throw error;
  },
});
console.log("owned");
