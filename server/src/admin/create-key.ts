import { mintApiKey } from "../auth/api-keys.ts";
import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { shortUuid } from "../events/short-uuid.ts";
import { LIMITS } from "../limits.ts";
import { systemRandom } from "../random.ts";
import { StartFailure } from "../start-failure.ts";
import { insertApiKey } from "../store/api-keys.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import { firstSpace } from "../store/spaces.ts";
import { uuidV7 } from "../uuid.ts";
import { withStore } from "./with-store.ts";

/** @returns the new key: shown once, stored hashed */
export async function createKey(config: Config, name: string, scope: "read" | "write"): Promise<string> {
  if (name.trim() === "" || name.length > LIMITS.NAME_CHARACTERS_MAX) {
    throw new StartFailure(`A key's name has 1 to ${LIMITS.NAME_CHARACTERS_MAX} characters. Example: --name ci`);
  }
  const newId = () => uuidV7(systemClock.now(), systemRandom);
  return withStore(config, (db) =>
    db.transaction(async (tx) => {
      const { key, hash, hint } = mintApiKey(systemRandom);
      const space = (await firstSpace(tx)).id;
      const row = { space, id: newId(), name: name.trim(), scope, hash, hint, by: "operator" };
      if ((await insertApiKey(tx, row, LIMITS.API_KEYS_PER_SPACE_MAX)) === undefined) throw tooMany();
      const subject = shortUuid(row.id);
      await insertAuditEntry(tx, {
        space,
        id: newId(),
        action: "api_key.created",
        actor: "operator",
        address: null,
        subject,
      });
      return key;
    }),
  );
}

const tooMany = (): StartFailure =>
  new StartFailure(
    `This space has ${LIMITS.API_KEYS_PER_SPACE_MAX} API keys, the most it may have. Delete one in the dashboard first.`,
  );
