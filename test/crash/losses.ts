import { LIMITS } from "../../server/src/kernel/limits.ts";
import type { Received } from "./receiver.ts";
import { PATHS } from "./scene.ts";

/** A kill: of the service, or of the database under it, which the service outlives. */
export interface Kill {
  what: "service" | "database";
  /** When nothing could come any more of what was sent before it. */
  over_ms: number;
}

/** What kills have cost, and everything that no kill explains. */
export interface Losses {
  /** The most attempts that one kill cost. */
  most: number;
  /** The most later attempts of one webhook that were settled, though one before them was not. */
  overtaken: number;
  findings: string[];
}

/** Under way, or in the batch that was being written: 22 were the most seen. */
const LOST_MAX = PATHS.length * LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.SETTLE_BATCH_MAX;

/**
 * How many later attempts may be settled, of one webhook. Beside one whose response is on its way, what else was in flight: 0
 * were seen. A database that is killed forgets what it settled since it last wrote an event to the disk, and is told afterwards
 * what was answered meanwhile: all of that had been handed over before. 4 were seen.
 */
const OVERTAKEN_MAX = {
  service: LIMITS.WEBHOOK_IN_FLIGHT_MAX,
  database: LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.WEBHOOK_QUEUED_MAX,
};

/** Hangs, drips and floods: when such a response is over the receiver does not know. */
const UNTOLD = "/hostile";

/**
 * Holds the attempts that nobody wrote down against the kills. No clock is asked how long before a kill one may have been
 * answered, for a busy machine takes its time. But answers are settled in their order, so what a kill costs is the end of
 * that order, and short: what is missing in its middle was lost by something else.
 */
export function losses(received: readonly Received[], unrecorded: readonly Received[], kills: readonly Kill[]): Losses {
  const lost = new Set(unrecorded);
  const lives = [...Map.groupBy(received, ({ began_ms }) => kills.find(({ over_ms }) => began_ms <= over_ms))];
  const told = lives.map(([kill, own]) => life(kill, own, lost));
  return {
    most: Math.max(0, ...told.map(({ most }) => most)),
    overtaken: Math.max(0, ...told.map(({ overtaken }) => overtaken)),
    findings: told.flatMap(({ findings }) => findings),
  };
}

/** What came between two kills. */
function life(kill: Kill | undefined, own: readonly Received[], lost: ReadonlySet<Received>): Losses {
  const gone = own.filter((one) => lost.has(one));
  const settled = own.filter((one) => !lost.has(one));
  const overtakers = (one: Received) =>
    one.path === UNTOLD ? 0 : settled.filter(({ path, began_ms }) => path === one.path && began_ms > one.at_ms).length;
  const findings = gone.flatMap((one) => {
    const name = `delivery ${one.delivery}, attempt ${one.attempt}`;
    if (kill === undefined) return [`${name} was lost, and no kill came after it`];
    const after = overtakers(one);
    const early = after > OVERTAKEN_MAX[kill.what];
    return early ? [`${name} was lost, and ${after} later ones were settled before the ${kill.what} was killed`] : [];
  });
  if (gone.length > LOST_MAX) findings.push(`${gone.length} attempts were lost by one kill`);
  return { most: gone.length, overtaken: Math.max(0, ...gone.map(overtakers)), findings };
}
