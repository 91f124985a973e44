import { ATTEMPT_MS } from "./node.ts";
import type { Arrival } from "./receivers.ts";
import type { Process, World } from "./world.ts";

/** How long after a change of a webhook a node may act on what it knew: two polls and a statement. */
const TOLD_MS = 11_000;
/** How long a node may believe in a lease that the database's clock has skipped, or that was taken from it. */
const LEASE_MS = 30_000;

interface Sending {
  begun_ms: number;
  /** The transaction that opened the delivery. */
  opened_in: string | null;
}

interface Found {
  attempt: number;
  sequence: number;
  leased: boolean;
  opened_in: string;
  /** It was open when the one that is sent was opened, and that one's webhook keeps an order. */
  first: boolean;
}

/** A webhook as the database has it, and since when it is known to be so. */
interface Known {
  url: string | null;
  status: string | null;
  since_ms: number;
}

/**
 * Safety, asked of the database before each request leaves:
 *
 * - at most one attempt of a delivery is under way, and it is the one that the row is leased for (the fence);
 * - what was open for an earlier event of the video when this delivery was opened has ended, for good and on the wire:
 *   so a later event waits, a manual send and a replay overtake nothing, and make nothing wait that was there before;
 * - what is paused, disabled, deleted, or has another URL is not sent once a node had the time to be told: TOLD_MS
 *   of its being awake and in touch with the database.
 *
 * A lease that the database's clock skips by more than its margin protects nothing: until the leases of before have
 * ended, only what does not rest on them is asked.
 */
export class Invariants {
  readonly #world: World;
  readonly #find: (what: string) => void;
  readonly #underWay = new Map<string, Map<Process, Sending>>();
  readonly #webhooks = new Map<string, Known>();
  readonly #troubled = new Map<Process, number>();
  readonly received = new Set<string>();
  attempts = 0;
  #skipped_ms = Number.NEGATIVE_INFINITY;

  constructor(world: World, find: (what: string) => void) {
    this.#world = world;
    this.#find = find;
  }

  sending(process: Process, arrival: Arrival): void {
    this.attempts += 1;
    this.#world.checks.push(() => this.#check(process, arrival));
  }

  sent(process: Process, arrival: Arrival): void {
    this.#underWay.get(keyOf(arrival))?.delete(process);
  }

  succeeded({ webhook, event }: Arrival): void {
    this.received.add(`${webhook} ${event}`);
  }

  died(process: Process): void {
    for (const senders of this.#underWay.values()) senders.delete(process);
  }

  /** Until then it may not have been told of changes. */
  troubled(process: Process, until_ms = this.#world.now_ms): void {
    this.#troubled.set(process, Math.max(until_ms, this.#troubled.get(process) ?? 0));
  }

  /** The database's clock skipped so much that leases ended early. */
  skipped(): void {
    this.#skipped_ms = this.#world.now_ms;
  }

  /** Notes how the webhooks are. To be called often: a change counts from the call that sees it. */
  async look(): Promise<void> {
    const rows = await this.#world.ask<{ id: string; url: string; status: string }>(
      "select id, url, status from webhooks",
    );
    const now = new Map(rows.map((row) => [row.id, row]));
    for (const id of new Set([...now.keys(), ...this.#webhooks.keys()])) {
      const { url = null, status = null } = now.get(id) ?? {};
      const known = this.#webhooks.get(id);
      if (known?.url !== url || known.status !== status)
        this.#webhooks.set(id, { url, status, since_ms: this.#world.now_ms });
    }
  }

  /** One that came and went between two looks was never seen. */
  #known(webhook: string): Known {
    const known = this.#webhooks.get(webhook) ?? { url: null, status: null, since_ms: this.#world.now_ms };
    this.#webhooks.set(webhook, known);
    return known;
  }

  async #check(process: Process, arrival: Arrival): Promise<void> {
    await this.look();
    this.#checkTold(process, arrival);
    const rows = await this.#open(arrival);
    const own = rows.find(({ sequence }) => sequence === arrival.sequence);
    const key = keyOf(arrival);
    const senders = this.#underWay.get(key) ?? new Map<Process, Sending>();
    this.#underWay.set(key, senders);
    if (this.#world.now_ms - this.#skipped_ms > LEASE_MS && !this.#mayBeCanceled(arrival, own)) {
      for (const other of this.#still(senders))
        this.#report(process, arrival, `sent while the attempt of ${other.name} had not ended`);
      this.#checkFence(process, arrival, own);
      for (const row of rows)
        if (row.first) {
          this.#report(process, arrival, `sent before ${row.sequence} had ended`);
          break;
        }
      await this.#checkWire(process, arrival);
    }
    senders.set(process, { begun_ms: this.#world.now_ms, opened_in: own?.opened_in ?? null });
  }

  /** The row and those of earlier events of its video. */
  #open({ webhook, video, sequence }: Arrival): Promise<Found[]> {
    return this.#world.ask<Found>(
      `select o.sequence, o.attempt, o.leased_until > sim.now() as leased, o.opened_in::text,
        o.sequence < own.sequence and coalesce(own.ordered, false) and (o.opened_in = own.opened_in
          or pg_visible_in_snapshot(o.opened_in, own.opened_seeing)) as first
       from pending_deliveries o left join pending_deliveries own on own.webhook_id = o.webhook_id
         and own.video_id = o.video_id and own.sequence = $3
       where o.webhook_id = $1 and o.video_id = $2 and o.sequence <= $3 order by o.sequence`,
      [webhook, video, sequence],
    );
  }

  /** Its webhook was deleted, or its replay canceled: what was leased already may still be sent. */
  #mayBeCanceled({ webhook }: Arrival, own: Found | undefined): boolean {
    const { url, since_ms } = this.#known(webhook);
    return own === undefined && url === null && this.#world.now_ms - since_ms < LEASE_MS;
  }

  #checkFence(process: Process, arrival: Arrival, own: Found | undefined): void {
    if (own === undefined) this.#report(process, arrival, "sent what is not open");
    else if (own.attempt !== arrival.attempt)
      this.#report(process, arrival, `sent an attempt that is over (now ${own.attempt})`);
    else if (!own.leased) this.#report(process, arrival, "sent without a lease");
  }

  /** No attempt of an earlier event may be under way: whoever let this one go believed that it had ended. */
  async #checkWire(process: Process, arrival: Arrival): Promise<void> {
    for (let sequence = 1; sequence < arrival.sequence; sequence++)
      for (const [other, { opened_in }] of this.#underWay.get(keyOf({ ...arrival, sequence })) ?? []) {
        if (!this.#still(this.#underWay.get(keyOf({ ...arrival, sequence }))!).includes(other)) continue;
        const [row] = await this.#world.ask<{ first: boolean }>(
          `select coalesce(ordered, false) and pg_visible_in_snapshot($4::xid8, opened_seeing) as first
           from pending_deliveries where webhook_id = $1 and video_id = $2 and sequence = $3`,
          [arrival.webhook, arrival.video, arrival.sequence, opened_in],
        );
        if (row?.first) this.#report(process, arrival, `sent while ${other.name} was still sending ${sequence}`);
      }
  }

  #checkTold(process: Process, arrival: Arrival): void {
    const { url, status, since_ms } = this.#known(arrival.webhook);
    const told_ms = Math.max(since_ms, this.#troubled.get(process) ?? 0, process.frozenUntil_ms) + TOLD_MS;
    if (this.#world.now_ms < told_ms) return;
    if (status !== "enabled") this.#report(process, arrival, `sent though its webhook is ${status ?? "deleted"}`);
    else if (url !== arrival.url) this.#report(process, arrival, "sent to a URL of before");
  }

  /** What began longer ago than an attempt may take is over, though a frozen process has not noticed yet. */
  #still(senders: Map<Process, Sending>): Process[] {
    const since_ms = this.#world.now_ms - ATTEMPT_MS;
    return [...senders].filter(([, { begun_ms }]) => begun_ms > since_ms).map(([process]) => process);
  }

  #report({ name }: Process, { webhook, video, sequence, attempt }: Arrival, what: string): void {
    this.#find(`${webhook.slice(-4)} ${video.slice(-4)} #${sequence} attempt ${attempt}: ${name} ${what}`);
  }
}

const keyOf = ({ webhook, video, sequence }: Pick<Arrival, "webhook" | "video" | "sequence">): string =>
  `${webhook} ${video} ${sequence}`;
