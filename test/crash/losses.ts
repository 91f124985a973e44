import { LIMITS } from "../../server/src/kernel/limits.ts";
import type { Received } from "./logging-receiver.ts";
import { PATHS } from "./scene.ts";

/** A kill of the service, or of its database, which the service outlives. */
export interface Kill {
  what: "service" | "database";
  /** A time after which no request sent before the kill can arrive. */
  over_ms: number;
}

/** Attempts lost by kills, and everything that no kill explains. */
export interface Losses {
  /** The most attempts lost by one kill. */
  most: number;
  /** The most later attempts of one webhook that were settled although an earlier one was lost. */
  overtaken: number;
  findings: string[];
}

/** In flight, or in the batch that was being settled. The highest number seen is 22. */
const LOST_MAX = PATHS.length * LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.SETTLE_BATCH_MAX;

/**
 * How many later attempts of one webhook may be settled. When the service is killed: the other attempts in flight; none were
 * seen. A killed database forgets what was settled since its last commit that reached the disk, and the service then settles
 * responses received meanwhile, all of them handed over before; 4 were seen.
 */
const OVERTAKEN_MAX = {
  service: LIMITS.WEBHOOK_IN_FLIGHT_MAX,
  database: LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.WEBHOOK_QUEUED_MAX,
};

/** Its responses hang, drip or flood, so the receiver does not know when they ended. */
const END_UNKNOWN = "/hostile";

/**
 * Checks that kills explain all unrecorded attempts. It does not compare times, because a busy machine delays everything.
 * Instead it uses the order: attempts are settled in the order of their responses, so a kill loses the last few of that
 * order. An attempt missing from the middle was lost by something else.
 */
export function losses(received: readonly Received[], unrecorded: readonly Received[], kills: readonly Kill[]): Losses {
  const lost = new Set(unrecorded);
  const lives = Map.groupBy(received, ({ began_ms }) => kills.find(({ over_ms }) => began_ms <= over_ms));
  const each = [...lives].map(([kill, own]) => lossesBetweenKills(kill, own, lost));
  return {
    most: Math.max(0, ...each.map(({ most }) => most)),
    overtaken: Math.max(0, ...each.map(({ overtaken }) => overtaken)),
    findings: each.flatMap(({ findings }) => findings),
  };
}

/** @param kill the one at the end; undefined after the last kill */
function lossesBetweenKills(
  kill: Kill | undefined,
  received: readonly Received[],
  lost: ReadonlySet<Received>,
): Losses {
  const own = received.filter((request) => lost.has(request));
  const settled = received.filter((request) => !lost.has(request));
  const overtakers = ({ path, at_ms }: Received) =>
    path === END_UNKNOWN ? 0 : settled.filter((other) => other.path === path && other.began_ms > at_ms).length;
  const findings = own.flatMap((request) => {
    const name = `delivery ${request.delivery}, attempt ${request.attempt}`;
    if (kill === undefined) return [`${name} was lost, and no kill followed`];
    const later = overtakers(request);
    if (later <= OVERTAKEN_MAX[kill.what]) return [];
    return [`${name} was lost, and ${later} later ones were settled before the ${kill.what} was killed`];
  });
  if (own.length > LOST_MAX) findings.push(`${own.length} attempts were lost by one kill`);
  return { most: own.length, overtaken: Math.max(0, ...own.map(overtakers)), findings };
}
