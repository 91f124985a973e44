// Runs a data folder's database until this process is killed.
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
