import { LIMITS } from "../../server/src/kernel/limits.ts";
import type { Received } from "./logging-receiver.ts";
import { PATHS } from "./scene.ts";

/** A kill of the server, or of its database while the server keeps running. */
export interface Kill {
  what: "service" | "database";
  /** A time after which no request sent before the kill can arrive. */
  over_ms: number;
}

/** How many attempts were lost to kills, and which losses cannot be explained by a kill. */
export interface Losses {
  /** The highest number of attempts lost to one kill. */
  most: number;
  /** The highest number of attempts for one webhook that were settled although an earlier attempt was lost. */
  overtaken: number;
  findings: string[];
}

/**
 * How many attempts may be lost to one kill: those in flight, plus those in the batch that was being settled. The
 * highest number observed is 22.
 */
const LOST_MAX = PATHS.length * LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.SETTLE_BATCH_MAX;

/**
 * How many later attempts for one webhook may be settled although an earlier one was lost. If the server is killed,
 * these are the other attempts in flight; none have been observed. If the database is killed, it loses settled attempts
 * that it had not yet written to disk. The server then settles the responses it received in the meantime, all of them
 * for deliveries that it had already leased. The highest number observed is 4.
 */
const OVERTAKEN_MAX = {
  service: LIMITS.WEBHOOK_IN_FLIGHT_MAX,
  database: LIMITS.WEBHOOK_IN_FLIGHT_MAX + LIMITS.WEBHOOK_QUEUED_MAX,
};

/** Responses on this path hang, drip or flood, so the receiver does not know when they ended. */
const END_UNKNOWN = "/hostile";

/**
 * Checks that a kill explains each unrecorded attempt. It compares the order of attempts and not their times, because
 * timing is unreliable on a busy machine. Attempts are settled in the order in which their responses arrive, so only
 * the last few can be lost to a kill. An attempt that is missing from the middle must have been lost for another
 * reason.
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

/**
 * Checks the requests between two kills. @param kill the kill that ended this period, or undefined after the last kill
 */
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
