import type { Config } from "../config/config.ts";
import { systemRandom } from "../kernel/random.ts";
import { resealAll } from "../webhooks/reseal.ts";
import { createVault } from "../webhooks/secrets.ts";
import { withStore } from "./with-store.ts";

/** @returns a sentence: how many were sealed anew, and what to do next */
export async function reseal(config: Config): Promise<string> {
  const vault = createVault(config.secretsKeys, systemRandom);
  const { resealed, seen } = await withStore(config, (db) => resealAll(db, vault));
  const rest =
    config.secretsKeys.length > 1 ? " In a day, when no remembered response needs them, drop the other keys." : "";
  return `${resealed} of ${seen} webhooks were sealed anew by the first key.${rest}`;
}
