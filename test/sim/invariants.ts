import { ATTEMPT_MS } from "./node.ts";
import type { Arrival } from "./receivers.ts";
import type { Process, World } from "./world.ts";

/**
 * How long a node may keep acting on a webhook's old state after a change. This allows for two polls and a statement.
 */
const INFORMED_MS = 11_000;
/** How long a node may still rely on a lease that expired early because the database clock jumped ahead. */
const LEASE_MS = 30_000;

interface InFlight {
  begun_ms: number;
  /** The transaction that inserted the delivery. */
  opened_in: string | null;
}

interface PendingRow {
  attempt: number;
  sequence: number;
  leased: boolean;
  opened_in: string;
  /**
   * Whether this delivery must end before the one being sent, because it was already pending when that one was inserted
   * and the webhook was ordered at that time.
   */
  first: boolean;
}

/** A webhook's state in the database, and when that state was first observed. */
interface Known {
  url: string | null;
  status: string | null;
  since_ms: number;
}

/**
 * Safety checks against the database, made before each request:
 *
 * - A delivery has at most one attempt in flight, and its row is leased for exactly that attempt (the fence).
 * - When a delivery is sent, every earlier delivery for its video that was pending when it was inserted has ended, both
 *   in the database and on the network. Later events therefore wait, and manual sends and replays neither overtake nor
 *   delay older deliveries.
 * - A node sends nothing to a webhook that is paused, disabled or deleted, or to a webhook's old URL, once the node has
 *   been running and connected to the database for INFORMED_MS after the change.
 *
 * If the database clock steps ahead by more than a lease's margin, leases no longer protect anything. Until all leases
 * from before the step have expired, only the last check applies.
 */
export class Invariants {
  readonly #world: World;
  readonly #find: (what: string) => void;
  readonly #inFlight = new Map<string, Map<Process, InFlight>>();
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
    this.#inFlight.get(keyOf(arrival))?.delete(process);
  }

  succeeded({ webhook, event }: Arrival): void {
    this.received.add(`${webhook} ${event}`);
  }

  died(process: Process): void {
    for (const senders of this.#inFlight.values()) senders.delete(process);
  }

  /** Notes that the process may be unaware of changes until this time. */
  troubled(process: Process, until_ms = this.#world.now_ms): void {
    this.#troubled.set(process, Math.max(until_ms, this.#troubled.get(process) ?? 0));
  }

  /** Notes that the database clock stepped ahead so far that leases expired early. */
  skipped(): void {
    this.#skipped_ms = this.#world.now_ms;
  }

  /** Reads the webhooks. This is called often, because a change counts only from when it is first observed. */
  async observe(): Promise<void> {
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

  /**
   * Returns a webhook's last observed state. A webhook that was added and removed between two observations counts as
   * deleted from now on.
   */
  #known(webhook: string): Known {
    const known = this.#webhooks.get(webhook) ?? { url: null, status: null, since_ms: this.#world.now_ms };
    this.#webhooks.set(webhook, known);
    return known;
  }

  async #check(process: Process, arrival: Arrival): Promise<void> {
    await this.observe();
    this.#checkInformed(process, arrival);
    const rows = await this.#pending(arrival);
    const own = rows.find(({ sequence }) => sequence === arrival.sequence);
    const key = keyOf(arrival);
    const senders = this.#inFlight.get(key) ?? new Map<Process, InFlight>();
    this.#inFlight.set(key, senders);
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

  /** Returns the delivery's row and the rows of earlier deliveries for the same webhook and video. */
  #pending({ webhook, video, sequence }: Arrival): Promise<PendingRow[]> {
    return this.#world.ask<PendingRow>(
      `select o.sequence, o.attempt, o.leased_until > sim.now() as leased, o.opened_in::text,
        o.sequence < own.sequence and coalesce(own.ordered, false) and (o.opened_in = own.opened_in
          or pg_visible_in_snapshot(o.opened_in, own.opened_seeing)) as first
       from pending_deliveries o left join pending_deliveries own on own.webhook_id = o.webhook_id
         and own.video_id = o.video_id and own.sequence = $3
       where o.webhook_id = $1 and o.video_id = $2 and o.sequence <= $3 order by o.sequence`,
      [webhook, video, sequence],
    );
  }

  /**
   * Returns whether the delivery may have been canceled because its webhook was deleted recently. If it was already
   * leased, it may still be sent.
   */
  #mayBeCanceled({ webhook }: Arrival, own: PendingRow | undefined): boolean {
    const { url, since_ms } = this.#known(webhook);
    return own === undefined && url === null && this.#world.now_ms - since_ms < LEASE_MS;
  }

  #checkFence(process: Process, arrival: Arrival, own: PendingRow | undefined): void {
    if (own === undefined) this.#report(process, arrival, "sent a delivery that is not pending");
    else if (own.attempt !== arrival.attempt)
      this.#report(process, arrival, `sent an attempt that has ended (now ${own.attempt})`);
    else if (!own.leased) this.#report(process, arrival, "sent without a lease");
  }

  /**
   * Checks that no attempt for an earlier event is in flight, because this delivery may be released only once the
   * earlier one has ended.
   */
  async #checkWire(process: Process, arrival: Arrival): Promise<void> {
    for (let sequence = 1; sequence < arrival.sequence; sequence++)
      for (const [other, { opened_in }] of this.#inFlight.get(keyOf({ ...arrival, sequence })) ?? []) {
        if (!this.#still(this.#inFlight.get(keyOf({ ...arrival, sequence }))!).includes(other)) continue;
        const [row] = await this.#world.ask<{ first: boolean }>(
          `select coalesce(ordered, false) and pg_visible_in_snapshot($4::xid8, opened_seeing) as first
           from pending_deliveries where webhook_id = $1 and video_id = $2 and sequence = $3`,
          [arrival.webhook, arrival.video, arrival.sequence, opened_in],
        );
        if (row?.first) this.#report(process, arrival, `sent while ${other.name} was still sending ${sequence}`);
      }
  }

  #checkInformed(process: Process, arrival: Arrival): void {
    const { url, status, since_ms } = this.#known(arrival.webhook);
    const informed_ms = Math.max(since_ms, this.#troubled.get(process) ?? 0, process.frozenUntil_ms) + INFORMED_MS;
    if (this.#world.now_ms < informed_ms) return;
    if (status !== "enabled") this.#report(process, arrival, `sent though its webhook is ${status ?? "deleted"}`);
    else if (url !== arrival.url) this.#report(process, arrival, "sent to an old URL");
  }

  /**
   * Returns the processes whose attempts are still in flight. An attempt older than the attempt timeout is over, even
   * if its process is frozen and has not noticed yet.
   */
  #still(senders: Map<Process, InFlight>): Process[] {
    const since_ms = this.#world.now_ms - ATTEMPT_MS;
    return [...senders].filter(([, { begun_ms }]) => begun_ms > since_ms).map(([process]) => process);
  }

  #report({ name }: Process, { webhook, video, sequence, attempt }: Arrival, what: string): void {
    this.#find(`${webhook.slice(-4)} ${video.slice(-4)} #${sequence} attempt ${attempt}: ${name} ${what}`);
  }
}

const keyOf = ({ webhook, video, sequence }: Pick<Arrival, "webhook" | "video" | "sequence">): string =>
  `${webhook} ${video} ${sequence}`;
