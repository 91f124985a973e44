import { type Clock, unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { requireFound, requireUuid } from "../kernel/not-found.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import type { Sql, Transactional } from "../store/db.ts";
import { cancelReplayed } from "../store/queue/cancel.ts";
import * as store from "../store/replays.ts";
import { findWebhook, invalid, NO_WEBHOOK } from "./bulk-action.ts";
import { createReplayRunner, type ReplayRunner, type ReplayRunnerParts } from "./replay-runner.ts";

/**
 * Selects the events to deliver again. Ids are short UUIDs and times are Unix seconds; an omitted filter matches
 * everything.
 */
export interface ReplayInput {
  webhook: string;
  since: number;
  /** Exclusive. A time in the future is treated as now. */
  until: number;
  statuses?: store.ReplayedStatus[] | undefined;
  types?: EventType[] | undefined;
  video?: string | undefined;
  /** Deliveries per second; null for no limit. Defaults to REPLAY_RATE. */
  rate?: number | null | undefined;
}

/** The API's representation of a replay. Times are in Unix seconds. A dry run has no id, because it is not stored. */
export interface ReplayView {
  id: string;
  object: "replay";
  created: number;
  webhook: string;
  since: number;
  until: number;
  statuses: store.ReplayedStatus[] | null;
  types: EventType[] | null;
  video: string | null;
  rate: number | null;
  status: store.ReplayStatus;
  total: number;
  done: number;
  first: number | null;
  last: number | null;
  finished: number | null;
}
export type DryRun = Omit<ReplayView, "id" | "status"> & { id: null; status: "dry_run" };

/** A space's replays. Functions that take a replay id throw NOT_FOUND if the space has no such replay. */
export interface Replays extends Omit<ReplayRunner, "wake"> {
  /** Counts the matching events without replaying them. @throws REQUEST_INVALID */
  dryRun(space: string, input: ReplayInput): Promise<DryRun>;
  /** @throws REQUEST_INVALID */
  create(db: Transactional, space: string, input: ReplayInput, by: string | null): Promise<ReplayView>;
  list(space: string, query: PageQuery & { webhook?: string | undefined }): Promise<Page<ReplayView>>;
  get(space: string, id: string): Promise<ReplayView>;
  /** Pauses or resumes a replay. @throws CONFLICT if it has already ended */
  update(db: Transactional, space: string, id: string, change: { status: "running" | "paused" }): Promise<ReplayView>;
  /** Cancels a replay and its pending deliveries, except those being sent. @throws CONFLICT if it has already ended */
  cancel(db: Transactional, space: string, id: string): Promise<ReplayView>;
}

export function createReplays(parts: ReplayRunnerParts): Replays {
  const { db, clock, random } = parts;
  const { wake, ...runner } = createReplayRunner(parts);
  return {
    dryRun: (space, input) => dryRun(db, clock, space, input),
    create: (db, space, input, by) =>
      db.transaction(async (tx) => {
        const filter = await filterOf(tx, clock, space, input);
        const counted = await store.countReplay(tx, space, filter);
        const { rate = LIMITS.REPLAY_RATE } = input;
        tx.afterCommit(wake);
        const replay = { id: uuidV7(clock.now(), random), rate, by };
        return presentReplay(await store.insertReplay(tx, space, filter, counted, replay));
      }),
    list: (space, query) => list(db, space, query),
    get: async (space, id) => presentReplay(requireFound(await store.getReplay(db, space, requireUuid(id)))),
    update: (db, space, id, { status }) =>
      db.transaction((tx) => {
        tx.afterCommit(wake);
        return changeStatus(tx, space, id, status);
      }),
    cancel: (db, space, id) => db.transaction((tx) => changeStatus(tx, space, id, "canceled")),
    ...runner,
  };
}

async function dryRun(sql: Sql, clock: Clock, space: string, input: ReplayInput): Promise<DryRun> {
  const filter = await filterOf(sql, clock, space, input);
  const counted = await store.countReplay(sql, space, filter);
  const { rate = LIMITS.REPLAY_RATE } = input;
  const progress = { done: 0, created_at: new Date(clock.now()), finished_at: null };
  return { ...presentProgress({ ...filter, ...counted, rate, ...progress }), id: null, status: "dry_run" };
}

async function filterOf(sql: Sql, clock: Clock, space: string, input: ReplayInput): Promise<store.ReplayFilter> {
  const webhook_id = await findWebhook(sql, space, input.webhook);
  const errors = webhook_id === null ? [NO_WEBHOOK] : [];
  if (input.since >= input.until) errors.push({ path: "/until", detail: "`until` must be later than `since`." });
  const [first, ...more] = errors;
  if (first !== undefined) throw invalid(first, ...more);
  // Events recorded after this are delivered anyway. Events from the current millisecond are included.
  const until = new Date(Math.min(input.until * 1000, clock.now() + 1));
  const { statuses = null, types = null, video = null } = input;
  return { webhook_id: webhook_id!, since: new Date(input.since * 1000), until, statuses, types, video_id: video };
}

async function list(
  sql: Sql,
  space: string,
  query: PageQuery & { webhook?: string | undefined },
): Promise<Page<ReplayView>> {
  const webhook = query.webhook === undefined ? null : longUuid(query.webhook);
  if (query.webhook !== undefined && webhook === null) return { object: "list", data: [], has_more: false, next: null };
  return pageOf(query, longUuid, presentReplay, {
    after: (cursor, limit) => store.listReplaysAfter(sql, space, webhook, cursor, limit),
    before: (cursor, limit) => store.listReplaysBefore(sql, space, webhook, cursor, limit),
  });
}

async function changeStatus(
  tx: Sql,
  space: string,
  id: string,
  status: "running" | "paused" | "canceled",
): Promise<ReplayView> {
  const uuid = requireUuid(id);
  const before = requireFound(await store.getReplay(tx, space, uuid));
  const changed = await store.changeReplay(tx, space, uuid, status);
  if (changed === undefined) throw new MaveError("CONFLICT", `This replay is ${before.status}.`);
  if (status === "canceled") await cancelReplayed(tx, uuid);
  return presentReplay(requireFound(await store.getReplay(tx, space, uuid))); // canceling lowers `done`
}

function presentReplay(row: store.ReplayRow): ReplayView {
  return { id: shortUuid(row.id), status: row.status, ...presentProgress(row) };
}

function presentProgress(
  row: Omit<store.ReplayRow, "space_id" | "id" | "status" | "cursor_id" | "reason">,
): Omit<ReplayView, "id" | "status"> {
  const { statuses, types, video_id: video, rate, total, done } = row;
  return {
    object: "replay",
    created: seconds(row.created_at),
    webhook: shortUuid(row.webhook_id),
    since: seconds(row.since),
    until: seconds(row.until),
    ...{ statuses, types, video, rate, total, done },
    first: row.first_at && seconds(row.first_at),
    last: row.last_at && seconds(row.last_at),
    finished: row.finished_at && seconds(row.finished_at),
  };
}

const seconds = (time: Date): number => unixSeconds(time.getTime());
