import type { Clock } from "../kernel/clock.ts";
import { type FieldError, MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import type { Random } from "../kernel/random.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import { UUID_MIN, uuidV7 } from "../kernel/uuid.ts";
import type { Database, Sql, Transaction, Transactional } from "../store/db.ts";
import { cancelReplayed } from "../store/queue/cancel.ts";
import { releaseNext } from "../store/queue/release.ts";
import { reopenDeliveries } from "../store/queue/reopen.ts";
import * as store from "../store/replays.ts";
import { getWebhook } from "../store/webhooks.ts";
import { allowance, type DryRun, presentReplay, type ReplayView } from "./replay.ts";

/** What to deliver again. Ids are short, times are Unix seconds; what is left out does not narrow it down. */
export interface ReplayInput {
  webhook: string;
  since: number;
  /** Not included. A moment in the future means now. */
  until: number;
  statuses?: store.ReplayedStatus[] | undefined;
  types?: EventType[] | undefined;
  video?: string | undefined;
  /** Deliveries per second at most; null: no limit. REPLAY_RATE where left out. */
  rate?: number | null | undefined;
}

/** A space's replays. Each function throws NOT_FOUND for one that this space does not have. */
export interface Replays {
  dryRun(space: string, input: ReplayInput): Promise<DryRun>;
  create(db: Transactional, space: string, input: ReplayInput, by: string | null): Promise<ReplayView>;
  list(space: string, query: PageQuery & { webhook?: string | undefined }): Promise<Page<ReplayView>>;
  get(space: string, id: string): Promise<ReplayView>;
  /** Pauses it, or lets it go on. @throws CONFLICT where it has ended */
  update(db: Transactional, space: string, id: string, change: { status: "running" | "paused" }): Promise<ReplayView>;
  /** Ends it; what it had opened and is not being sent is taken back. @throws CONFLICT where it has ended */
  cancel(db: Transactional, space: string, id: string): Promise<ReplayView>;
  /** From now on this node takes its part of all running replays. */
  start(): void;
  /** Ends after the round that runs, if one does. */
  stop(): Promise<void>;
  /** One step of every running replay that no other node is at. @returns whether any can go on at once */
  round(): Promise<boolean>;
}

export interface ReplaysParts {
  db: Database;
  clock: Clock;
  random: Random;
  log: Log;
  signals: Signals;
}

export function createReplays(parts: ReplaysParts): Replays {
  const runner = createRunner(parts);
  return {
    dryRun: (space, input) => dryRun(parts, space, input),
    create: (db, space, input, by) =>
      db.transaction((tx) => {
        tx.afterCommit(runner.wake);
        return create(parts, tx, space, input, by);
      }),
    list: (space, query) => list(parts, space, query),
    get: async (space, id) => presentReplay(found(await store.getReplay(parts.db, space, uuidOf(id)))),
    update: (db, space, id, { status }) =>
      db.transaction((tx) => {
        tx.afterCommit(runner.wake);
        return end(tx, space, id, status);
      }),
    cancel: (db, space, id) => db.transaction((tx) => end(tx, space, id, "canceled")),
    ...runner,
  };
}

async function dryRun({ db, clock }: ReplaysParts, space: string, input: ReplayInput): Promise<DryRun> {
  const filter = await filterOf(db, clock, space, input);
  const counted = await store.countReplay(db, filter);
  const { statuses = null, types = null, video = null, rate = LIMITS.REPLAY_RATE } = input;
  const seconds = (time: Date | null) => time && Math.floor(time.getTime() / 1000);
  return {
    id: null,
    object: "replay",
    created: Math.floor(clock.now() / 1000),
    webhook: input.webhook,
    since: input.since,
    until: Math.floor(filter.until.getTime() / 1000),
    statuses,
    types,
    video,
    rate,
    status: "dry_run",
    total: counted.total,
    done: 0,
    first: seconds(counted.first_at),
    last: seconds(counted.last_at),
    finished: null,
  };
}

async function create(
  { clock, random }: ReplaysParts,
  tx: Sql,
  space: string,
  input: ReplayInput,
  by: string | null,
): Promise<ReplayView> {
  const filter = await filterOf(tx, clock, space, input);
  const { rate = LIMITS.REPLAY_RATE } = input;
  const counted = await store.countReplay(tx, filter);
  const job = { id: uuidV7(clock.now(), random), rate, by };
  return presentReplay(await store.insertReplay(tx, filter, counted, job));
}

async function filterOf(sql: Sql, clock: Clock, space: string, input: ReplayInput): Promise<store.ReplayFilter> {
  const webhook = longUuid(input.webhook);
  const row = webhook === null ? undefined : await getWebhook(sql, space, webhook);
  const errors: FieldError[] = [];
  if (row === undefined) errors.push({ path: "/webhook", detail: "There is no webhook with this id." });
  if (input.since >= input.until) errors.push({ path: "/until", detail: "`until` must be later than `since`." });
  if (errors.length > 0) throw new MaveError("REQUEST_INVALID", errors[0]!.detail, { errors });
  // What happens after this moment is delivered anyway.
  const until = new Date(Math.min(input.until * 1000, clock.now() + 1)); // what happened in this very millisecond included
  const { statuses = null, types = null, video = null } = input;
  return { space, webhook: row!.id, since: new Date(input.since * 1000), until, statuses, types, video };
}

async function list(
  { db }: ReplaysParts,
  space: string,
  query: PageQuery & { webhook?: string | undefined },
): Promise<Page<ReplayView>> {
  const webhook = query.webhook === undefined ? null : longUuid(query.webhook);
  if (query.webhook !== undefined && webhook === null) return { object: "list", data: [], has_more: false, next: null };
  return pageOf(query, longUuid, presentReplay, {
    after: (cursor, limit) => store.listReplaysAfter(db, space, webhook, cursor, limit),
    before: (cursor, limit) => store.listReplaysBefore(db, space, webhook, cursor, limit),
  });
}

async function end(tx: Sql, space: string, id: string, status: "running" | "paused" | "canceled"): Promise<ReplayView> {
  const uuid = uuidOf(id);
  const before = found(await store.getReplay(tx, space, uuid));
  const changed = await store.changeReplay(tx, space, uuid, status);
  if (changed === undefined) throw new MaveError("CONFLICT", `This replay is ${before.status}.`);
  if (status === "canceled") await cancelReplayed(tx, uuid);
  return presentReplay(found(await store.getReplay(tx, space, uuid))); // less is done by what was taken back
}

/** Moves the running replays on. Where nothing can go on, it looks again after a while, or when it is woken. */
function createRunner({ db, clock, log, signals }: ReplaysParts): Pick<Replays, "start" | "stop" | "round"> & {
  wake(): void;
} {
  let state: "idle" | "running" | "stopped" = "stopped";
  let cancel = () => {};
  let current: Promise<void> = Promise.resolve();

  async function round(): Promise<boolean> {
    let more = false;
    for (let after: string | null = UUID_MIN; after !== null; ) {
      const step: Step = await db.transaction((tx) => stepAfter(tx, { db, signals }, after!));
      more ||= step.more;
      after = step.replay;
    }
    return more;
  }

  function run(): void {
    if (state !== "idle") return;
    state = "running";
    cancel();
    current = round()
      .catch((error: unknown) => {
        log.warn({ err: error }, "replays: this round failed; the next one tries again");
        return false;
      })
      .then((more) => {
        if (state === "stopped") return;
        state = "idle";
        cancel = clock.after(more ? LIMITS.REPLAY_STEP_MS : LIMITS.REPLAY_POLL_MS, run);
      });
  }

  return {
    round,
    wake: run,
    start() {
      if (state === "stopped") state = "idle";
      run();
    },
    async stop() {
      state = "stopped";
      cancel();
      await current;
    },
  };
}

interface Step {
  /** The replay that was moved; null: there is none after the given one. */
  replay: string | null;
  /** It has more to walk. */
  more: boolean;
}

/** One transaction: the deliveries that a step opens and how far it got are committed together. */
async function stepAfter(
  tx: Transaction,
  { db, signals }: Pick<ReplaysParts, "db" | "signals">,
  after: string,
): Promise<Step> {
  const replay = await store.lockNextReplay(tx, after);
  if (replay === undefined) return { replay: null, more: false };
  if (replay.orphaned) {
    await store.changeReplay(tx, replay.space_id, replay.id, "canceled", "Its webhook was deleted.");
    return { replay: replay.id, more: false };
  }
  if (replay.waits) return { replay: replay.id, more: true };
  const limit = allowance(replay.open, LIMITS.REPLAY_WINDOW, replay.rate, replay.idle_s);
  if (limit === 0) return { replay: replay.id, more: true };
  const events = await store.nextReplayed(tx, filterOfRow(replay), replay.cursor_id, limit);
  const reopened =
    events.length === 0 ? [] : await reopenDeliveries(tx, { ...replay, events, step: 0, replay: replay.id });
  if (events.length > 0) await store.advanceReplay(tx, replay, reopened.length, events.at(-1)!);
  const more = events.length === limit;
  if (!more) await store.changeReplay(tx, replay.space_id, replay.id, "done");
  tx.afterCommit(async () => {
    await releaseNext(db, reopened, null); // some may wait for a delivery that finished meanwhile
    signals.emit("due", { webhook: replay.webhook_id });
  });
  return { replay: replay.id, more };
}

const filterOfRow = ({ space_id, webhook_id, since, until, statuses, types, video_id }: store.ReplayRow) => ({
  space: space_id,
  webhook: webhook_id,
  since,
  until,
  statuses,
  types,
  video: video_id,
});

function uuidOf(id: string): string {
  const uuid = longUuid(id);
  if (uuid === null) throw new MaveError("NOT_FOUND");
  return uuid;
}

function found<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new MaveError("NOT_FOUND");
  return row;
}
