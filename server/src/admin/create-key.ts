import { createApiKeys } from "../auth/api-keys.ts";
import type { Config } from "../config/config.ts";
import { systemClock as clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { systemRandom as random } from "../kernel/random.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import { firstSpace } from "../store/spaces.ts";
import { withStore } from "./with-store.ts";

/** @returns the new key: shown once, stored hashed */
export async function createKey(config: Config, name: string, scope: "read" | "write"): Promise<string> {
  if (name.trim() === "" || name.length > LIMITS.NAME_CHARACTERS_MAX) {
    throw new StartFailure(`A key's name has 1 to ${LIMITS.NAME_CHARACTERS_MAX} characters. Example: --name ci`);
  }
  return withStore(config, async (db) => {
    const space = (await firstSpace(db)).id;
    const wanted = { name: name.trim(), scope, by: "operator" };
    const creation = db.transaction(async (tx) => {
      const { id, key } = await createApiKeys({ db, clock, random }).create(tx, space, wanted);
      const entry = { action: "api_key.created", actor: "operator", address: null, subject: id, details: { name } };
      await insertAuditEntry(tx, { space, id: uuidV7(clock.now(), random), ...entry });
      return key;
    });
    return creation.catch((error: unknown) => {
      if (!(error instanceof MaveError)) throw error;
      throw new StartFailure(`${error.message} Delete one in the dashboard first.`, { cause: error });
    });
  });
}
