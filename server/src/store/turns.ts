import type { Sql, Statement } from "./db.ts";

/** Work that only one node does at a time. Each number is the key of an advisory lock and is never reused. */
const TURNS = {
  retention: 7_021_801,
  disabling: 7_021_802,
  replays: 7_021_803,
  "secrets-key": 7_021_804,
  "sign-in-tables": 7_021_805,
  mail: 7_021_806,
} as const;

const TRY: Statement = { name: "turns_try", text: "select pg_try_advisory_xact_lock($1) as mine" };

/**
 * Takes the turn if it is free, and keeps it until the transaction ends or the node dies.
 * @returns whether this transaction has the turn
 */
export async function tryTurn(tx: Sql, work: keyof typeof TURNS): Promise<boolean> {
  const [row] = await tx.run<{ mine: boolean }>(TRY, [TURNS[work]]);
  return row!.mine;
}

const HOLD: Statement = { name: "turns_hold", text: "select pg_advisory_xact_lock($1)" };

/** Waits for the turn, and keeps it until the transaction ends. */
export async function holdTurn(tx: Sql, work: keyof typeof TURNS): Promise<void> {
  await tx.run(HOLD, [TURNS[work]]);
}
