import { LIMITS } from "../kernel/limits.ts";
import { UUID_MIN } from "../kernel/uuid.ts";
import type { Database, Sql } from "../store/db.ts";
import { lockSealedValues, type SealedValues, saveSealedValues } from "../store/webhooks.ts";
import type { Vault } from "./secrets.ts";

/**
 * Reseals every webhook value that was not sealed with the vault's first key. Can run while Mave is running. Each slice
 * of webhooks is resealed in its own transaction, so an interrupted run can safely be repeated.
 * @throws if a value was sealed with a key that is not in the vault
 */
export async function resealAll(db: Database, vault: Vault): Promise<{ resealed: number; seen: number }> {
  const count = { resealed: 0, seen: 0 };
  let after: string | null = UUID_MIN;
  while (after !== null) {
    const from: string = after;
    const slice: Slice = await db.transaction((tx) => resealSlice(tx, vault, from));
    count.resealed += slice.resealed;
    count.seen += slice.seen;
    after = slice.last;
  }
  return count;
}

interface Slice {
  resealed: number;
  seen: number;
  /** The last id in this slice, after which the next one starts. Null if this slice was empty. */
  last: string | null;
}

async function resealSlice(tx: Sql, vault: Vault, after: string): Promise<Slice> {
  const rows = await lockSealedValues(tx, after, LIMITS.RESEAL_SLICE);
  const old = rows.filter((row) => sealedValues(row).some((sealed) => !vault.current(sealed)));
  for (const row of old) await saveSealedValues(tx, resealed(vault, row));
  return { resealed: old.length, seen: rows.length, last: rows.at(-1)?.id ?? null };
}

const sealedValues = ({ secret, previous_secret, headers }: SealedValues): Buffer[] =>
  [secret, previous_secret, headers].filter((sealed) => sealed !== null);

function resealed(vault: Vault, { space_id, id, secret, previous_secret, headers }: SealedValues): SealedValues {
  const anew = (sealed: Buffer) => vault.seal(vault.open(sealed, id), id);
  return {
    space_id,
    id,
    secret: anew(secret),
    previous_secret: previous_secret && anew(previous_secret),
    headers: headers && anew(headers),
  };
}
