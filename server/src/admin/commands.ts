import { createApiKeys } from "../auth/api-keys.ts";
import { createSignInLink } from "../auth/sign-in-links.ts";
import type { Config } from "../config/config.ts";
import { systemClock as clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { systemRandom as random } from "../kernel/random.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import { firstSpace } from "../store/spaces.ts";
import { resealAll } from "../webhooks/reseal.ts";
import { createVault } from "../webhooks/secrets.ts";
import { withStore } from "./with-store.ts";

/** Creates an API key. @returns the key, which cannot be shown again because the database stores only its hash */
export async function createKey(config: Config, name: string, scope: "read" | "write"): Promise<string> {
  if (name.trim() === "" || name.length > LIMITS.NAME_CHARACTERS_MAX) {
    throw new StartFailure(
      `An API key's name must be 1 to ${LIMITS.NAME_CHARACTERS_MAX} characters long. Example: --name ci`,
    );
  }
  return withStore(config, async (db) => {
    const space = (await firstSpace(db)).id;
    const input = { name: name.trim(), scope, by: "operator" };
    const creation = db.transaction(async (tx) => {
      const { id, key } = await createApiKeys({ db, clock, random }).create(tx, space, input);
      const entry = {
        action: "api_key.created",
        actor: "operator",
        actor_id: null,
        address: null,
        subject: id,
        details: { name },
      };
      await insertAuditEntry(tx, { space, id: uuidV7(clock.now(), random), ...entry });
      return key;
    });
    return creation.catch((error: unknown) => {
      if (!(error instanceof MaveError)) throw error;
      throw new StartFailure(`${error.message} Delete one in the dashboard first.`, { cause: error });
    });
  });
}

/** Creates a sign-in link. @returns its URL, which works only once */
export function createLink(config: Config): Promise<string> {
  const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
  return withStore(config, async (db) => {
    const link = await createSignInLink(db, random, publicUrl);
    const [space, id] = [(await firstSpace(db)).id, uuidV7(clock.now(), random)];
    const entry = { action: "link.created", actor: "operator", actor_id: null, address: null, subject: null };
    await insertAuditEntry(db, { space, id, ...entry });
    return link;
  });
}

/**
 * Re-encrypts all webhook secrets with the first key.
 * @returns a message that says how many webhooks were re-encrypted and what to do next
 */
export async function reseal(config: Config): Promise<string> {
  const vault = createVault(config.secretsKeys, random);
  const { resealed, seen } = await withStore(config, (db) => resealAll(db, vault));
  const next =
    config.secretsKeys.length > 1
      ? " Remove the other keys after 24 hours. Until then, stored idempotent responses may need them."
      : "";
  return `Re-encrypted ${resealed} of ${seen} webhooks with the first key.${next}`;
}
