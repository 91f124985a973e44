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

/** What was found: `bad` needs something done now, `weak` soon. Both say what. */
export interface Finding {
  about: string;
  state: "good" | "weak" | "bad";
  says: string;
}

const DISK_BAD_BYTES = 500_000_000;
const DISK_WEAK_BYTES = 5_000_000_000;
const SKEW_WEAK_S = 5; // a receiver's Date has whole seconds, and the way there takes time
const SKEW_BAD_S = 240; // receivers refuse signatures that are 300 s away
const HOSTS_MAX = 50;

const good = (about: string, says: string): Finding => ({ about, state: "good", says });
const weak = (about: string, says: string): Finding => ({ about, state: "weak", says });
const bad = (about: string, says: string): Finding => ({ about, state: "bad", says });

/** Looks at everything that the server stands on. */
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
    const says = `${gigabytes(free)} free in ${folder}`;
    if (free < DISK_BAD_BYTES)
      return bad("disk", `${says}: uploads will be refused. Make room, or move MAVE_DATA_DIR.`);
    return free < DISK_WEAK_BYTES ? weak("disk", `${says}: little for videos. Make room soon.`) : good("disk", says);
  } catch (error) {
    return bad("disk", `${folder} cannot be written (${(error as Error).message}). Mend that, or set MAVE_DATA_DIR.`);
  }
}

async function ffmpeg(command: string | null): Promise<Finding> {
  const found = await findFfmpeg(clock, command ?? undefined);
  if (found !== null) return good("ffmpeg", found.version);
  return weak("ffmpeg", `missing: files that need conversion cannot become videos. ${FFMPEG_HINT}`);
}

/** All that is told from the database: itself, the clocks, the receivers' names. */
async function database(config: Config): Promise<Finding[]> {
  try {
    return await withStore(config, async (db) => {
      const before = clock.now();
      const look = await lookAtDatabase(db);
      const dates = await listReceiverDates(db);
      const urls = await listWebhookUrls(db, HOSTS_MAX);
      return [judge(look, wayTo(config, db)), clocks(before, look.clock, dates), await network(config, urls)];
    });
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    return [bad("database", error.message)];
  }
}

/** How nodes hear of each other, where that is not by the one address that there is. */
function wayTo({ databaseDirectUrl }: Config, { sharesSessions }: Database): string {
  if (databaseDirectUrl !== null) return "; nodes are woken by MAVE_DATABASE_DIRECT_URL";
  return sharesSessions ? "; through a pooler: nodes poll, MAVE_DATABASE_DIRECT_URL would wake them at once" : "";
}

function judge({ version, size_bytes, open, off }: DatabaseLook, way: string): Finding {
  const says = `PostgreSQL ${version}, ${gigabytes(size_bytes)}, ${open} open deliveries${way}`;
  if (off.length === 0) return good("database", says);
  return bad(
    "database",
    `${says}; ${off.join(", ")} off: a crash can lose acknowledged events. Turn on in its settings.`,
  );
}

function clocks(own_ms: number, database: Date, dates: { started_at: Date; date: string }[]): Finding {
  const gaps = dates.map(({ started_at, date }) => Math.abs(Date.parse(date) - started_at.getTime()) / 1000);
  const receivers = gaps.filter((gap) => Number.isFinite(gap)).sort((a, b) => a - b);
  const [middle] = receivers.slice(Math.floor(receivers.length / 2));
  const gap = Math.max(Math.abs(own_ms - database.getTime()) / 1000, middle ?? 0);
  const against = middle === undefined ? "the database's" : "the database's and the receivers'";
  const says = `${gap.toFixed(0)} s away from ${against}`;
  const advice = "Set the time by NTP: timedatectl set-ntp true.";
  if (gap > SKEW_BAD_S) return bad("clock", `${says}: receivers refuse signatures 300 s off. ${advice}`);
  return gap > SKEW_WEAK_S ? weak("clock", `${says}. ${advice}`) : good("clock", says);
}

/** Whether the receivers' names lead to addresses that deliveries may go to, asked as a delivery asks. */
async function network(config: Config, urls: string[]): Promise<Finding> {
  const policy = createAddressPolicy(config);
  const resolver = createResolver({ policy, clock });
  const lookup = promisify(resolver.lookup) as (host: string, options: object) => Promise<unknown>;
  const hosts = [...new Set(urls.map((url) => new URL(url).hostname))];
  const faults = await Promise.all(
    hosts.map((host) =>
      lookup(host.replace(/^\[|\]$/g, ""), { all: true }).then(
        () => null,
        (fault: Error) => `${host}: ${fault.message}`,
      ),
    ),
  );
  resolver.close();
  const wrong = faults.filter((fault) => fault !== null);
  if (wrong.length === 0)
    return good(
      "network",
      hosts.length === 0 ? "no webhook to look up yet" : `${hosts.length} receivers' names lead somewhere allowed`,
    );
  return weak("network", `${wrong.length} of ${hosts.length} receivers cannot be reached: ${wrong.join("; ")}`);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`;

const MARKS = { good: "✓", weak: "!", bad: "✗" } as const;

/** One line a finding. */
export const report = (findings: Finding[]): string =>
  findings.map(({ about, state, says }) => `${MARKS[state]} ${about.padEnd(9)} ${says}`).join("\n");
