import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Config } from "../config/config.ts";
import { systemClock as clock } from "../kernel/clock.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { createAddressPolicy } from "../net/address-policy.ts";
import { createResolver } from "../net/resolver.ts";
import type { Database } from "../store/db.ts";
import { type DatabaseLook, listReceiverDates, listWebhookUrls, lookAtDatabase } from "../store/doctor.ts";
import { FFMPEG_HINT, findFfmpeg } from "../videos/ffmpeg.ts";
import { withStore } from "./with-store.ts";

/**
 * The result of one check. A `warning` needs attention soon, an `error` immediately. The message describes the problem
 * and, usually, how to fix it.
 */
export interface Finding {
  subject: string;
  level: "ok" | "warning" | "error";
  message: string;
}

const DISK_ERROR_BYTES = 500_000_000; // PostgreSQL stops if it cannot write max_wal_size
const DISK_WARNING_BYTES = 5_000_000_000; // one typical video with its renditions
const SKEW_WARNING_S = 5; // the Date header is only precise to the second, and responses take time
const SKEW_ERROR_S = 240; // receivers reject signatures whose timestamp is more than 300 s off
const HOSTS_MAX = 50; // each takes a few seconds at worst

const ok = (subject: string, message: string): Finding => ({ subject, level: "ok", message });
const warning = (subject: string, message: string): Finding => ({ subject, level: "warning", message });
const error = (subject: string, message: string): Finding => ({ subject, level: "error", message });

/** Checks everything that the server depends on. */
export async function examine(config: Config): Promise<Finding[]> {
  return [await disk(config.dataDir), await ffmpeg(config.ffmpeg), ...(await database(config))];
}

async function disk(folder: string): Promise<Finding> {
  const probe = join(folder, `.doctor-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, "");
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const message = `${gigabytes(free)} free in ${folder}`;
    if (free < DISK_ERROR_BYTES)
      return error("disk", `${message}: uploads will fail. Free up space, or move MAVE_DATA_DIR.`);
    return free < DISK_WARNING_BYTES
      ? warning("disk", `${message}: not much for videos. Free up space soon.`)
      : ok("disk", message);
  } catch (cause) {
    return error(
      "disk",
      `${folder} is not writable (${(cause as Error).message}). Make it writable, or set MAVE_DATA_DIR.`,
    );
  }
}

async function ffmpeg(command: string | null): Promise<Finding> {
  const found = await findFfmpeg(clock, command ?? undefined);
  if (found !== null) return ok("ffmpeg", found.version);
  return warning("ffmpeg", `missing: files that need conversion cannot be processed. ${FFMPEG_HINT}`);
}

/** Runs the checks that need the database, which cover its settings, the clocks and the receivers. */
async function database(config: Config): Promise<Finding[]> {
  try {
    return await withStore(config, async (db) => {
      const before = clock.now();
      const look = await lookAtDatabase(db);
      const dates = await listReceiverDates(db);
      const urls = await listWebhookUrls(db, HOSTS_MAX);
      return [settings(look, connection(config, db)), clocks(before, look.clock, dates), await network(config, urls)];
    });
  } catch (cause) {
    if (!(cause instanceof StartFailure)) throw cause;
    return [error("database", cause.message)];
  }
}

/**
 * Describes how nodes receive notifications behind a connection pooler. Returns an empty string if there is no pooler.
 */
function connection({ databaseDirectUrl }: Config, { sharesSessions }: Database): string {
  if (databaseDirectUrl !== null) return "; notifications use MAVE_DATABASE_DIRECT_URL";
  return sharesSessions
    ? "; nodes behind a connection pooler poll (set MAVE_DATABASE_DIRECT_URL to notify them immediately)"
    : "";
}

function settings({ version, size_bytes, open, off }: DatabaseLook, connection: string): Finding {
  const message = `PostgreSQL ${version}, ${gigabytes(size_bytes)}, ${open} pending deliveries${connection}`;
  if (off.length === 0) return ok("database", message);
  return error(
    "database",
    `${message}; ${off.join(", ")} off: a crash can lose acknowledged events. Turn it on in postgresql.conf.`,
  );
}

function clocks(own_ms: number, database: Date, dates: { started_at: Date; date: string }[]): Finding {
  const gaps = dates.map(({ started_at, date }) => Math.abs(Date.parse(date) - started_at.getTime()) / 1000);
  const receivers = gaps.filter((gap) => Number.isFinite(gap)).sort((a, b) => a - b);
  const [median] = receivers.slice(Math.floor(receivers.length / 2));
  const gap = Math.max(Math.abs(own_ms - database.getTime()) / 1000, median ?? 0);
  const against = median === undefined ? "the database's" : "the database's and the receivers'";
  const message = `${gap.toFixed(0)} s off ${against}`;
  const advice = "Enable NTP: timedatectl set-ntp true";
  if (gap > SKEW_ERROR_S)
    return error("clock", `${message}: receivers reject signatures whose timestamp is more than 300 s off. ${advice}`);
  return gap > SKEW_WARNING_S ? warning("clock", `${message}. ${advice}`) : ok("clock", message);
}

/** Resolves webhook host names with the resolver and address policy that deliveries use. */
async function network(config: Config, urls: string[]): Promise<Finding> {
  const policy = createAddressPolicy(config);
  const resolver = createResolver({ policy, clock });
  const lookup = promisify(resolver.lookup) as (host: string, options: object) => Promise<unknown>;
  const hosts = [...new Set(urls.map((url) => new URL(url).hostname))];
  const results = await Promise.all(
    hosts.map((host) =>
      lookup(host.replace(/^\[|\]$/g, ""), { all: true }).then(
        () => null,
        (reason: Error) => `${host}: ${reason.message}`,
      ),
    ),
  );
  resolver.close();
  const failures = results.filter((result) => result !== null);
  if (failures.length === 0)
    return ok(
      "network",
      hosts.length === 0 ? "no webhooks to check yet" : `all ${hosts.length} receivers resolve to allowed addresses`,
    );
  return warning(
    "network",
    `${failures.length} of ${hosts.length} receivers cannot be reached: ${failures.join("; ")}`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`;

const MARKS = { ok: "✓", warning: "!", error: "✗" } as const;

/** Formats the findings, one per line. */
export const report = (findings: Finding[]): string =>
  findings.map(({ subject, level, message }) => `${MARKS[level]} ${subject.padEnd(9)} ${message}`).join("\n");
