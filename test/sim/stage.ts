import type { EventType } from "../../server/src/kernel/event-catalog.ts";
import { shortUuid } from "../../server/src/kernel/short-uuid.ts";
import type { Exchange } from "../../server/src/net/exchange.ts";
import { createVault, newSecret } from "../../server/src/webhooks/secrets.ts";
import type { Connections } from "./connections.ts";
import { SimDatabase } from "./database.ts";
import { createNode, keepStarting, type Node, SCHEDULE_S } from "./node.ts";
import { SPACE } from "./people.ts";
import type { Arrival, Temper } from "./receivers.ts";
import { newProcess, World } from "./world.ts";

/** A request, with the time it was sent and the node that sent it. */
export interface Sent extends Arrival {
  at_ms: number;
  node: number;
}

const WEBHOOK = "00000000-0000-7000-8000-00000000000a";

/**
 * Tests the engine's timing by running several nodes on one database, with one webhook, simulated time and no faults.
 */
export class Stage {
  readonly world: World;
  readonly nodes: Node[] = [];
  readonly sent: Sent[] = [];
  /** How the receiver behaves, or what it responds. */
  temper: Temper | (() => Partial<Exchange>) = "healthy";
  /** The delay before each retry, in seconds. */
  schedule_s: readonly number[] = SCHEDULE_S;
  /** The number of requests in flight. */
  inFlight = 0;
  /** Called when a request ends. */
  onEnd: (request: Arrival) => void = () => {};
  readonly #people = newProcess("people");
  #videos = 0;

  constructor(connections: Connections, seed = 1) {
    this.world = new World(seed, connections);
  }

  /** @param more values for additional columns of the webhook */
  async open(nodes: number, more: { rate_limit?: number } = {}): Promise<void> {
    const { world } = this;
    await world.connections.setClock(world.now_ms);
    await world.ask(
      "truncate pending_deliveries, deliveries, attempts, events, videos, webhooks, nodes, spaces cascade",
    );
    await world.ask("insert into spaces (id, name) values ($1, 'stage')", [SPACE]);
    const secret = createVault([Buffer.alloc(32, 3)], world.random).seal(newSecret(world.random), WEBHOOK);
    await world.ask(
      `insert into webhooks (space_id, id, url, events, rate_limit, secret, secret_hint)
       values ($1, $2, $3, '{video.created,video.deleted}', $4, $5, 'hint')`,
      [SPACE, WEBHOOK, `https://r.example.com/${shortUuid(WEBHOOK)}`, more.rate_limit ?? null, secret],
    );
    for (let index = 0; index < nodes; index++) await this.#start(index);
    await this.pass(3_000); // lets the nodes discover each other
  }

  async #start(index: number): Promise<void> {
    const { world } = this;
    const process = newProcess(`node ${index}`);
    const db = new SimDatabase({
      ...{ world, process, faults: () => ({ lostResponse: 0, refused: 0 }), rewrite: (statement) => statement },
      onNotice: (channel, payload) => {
        for (const node of this.nodes) node.db.notice(channel, payload);
      },
      onFault: () => {},
    });
    await db.open();
    const watch = {
      sending: (_process: unknown, arrival: Arrival) => {
        this.sent.push({ ...arrival, at_ms: world.now_ms, node: index });
        this.inFlight += 1;
      },
      sent: (_process: unknown, arrival: Arrival) => {
        this.inFlight -= 1;
        this.onEnd(arrival);
      },
      succeeded: () => {},
    };
    const node = createNode({ world, process, db, watch, onOutcome: () => {}, ...this.#manner() });
    this.nodes.push(node);
    keepStarting(world, node);
  }

  #manner() {
    const temperOf = () => (typeof this.temper === "string" ? this.temper : this.temper());
    return { temperOf, schedule_s: this.schedule_s };
  }

  /** Counts the deliveries that are pending, and those of them that are due. */
  async depth(): Promise<{ pending: number; due: number }> {
    const [counts] = await this.world.ask<{ pending: number; due: number }>(
      "select count(*)::int as pending, count(*) filter (where due_at <= now())::int as due from pending_deliveries",
    );
    return counts!;
  }

  /** Records an event for a new video on this node. @returns the event's UUID */
  async happen(node = 0, type: EventType = "video.created"): Promise<string> {
    const video = `STAGE${String(++this.#videos).padStart(5, "0")}`;
    const data = { id: video, object: "video" };
    return (await this.nodes[node]!.recorder.recordAlone({ space: SPACE, type, video, sequence: 1, data })).uuid;
  }

  async setStatus(status: "enabled" | "paused"): Promise<void> {
    await this.until(this.nodes[0]!.webhooks.update(this.nodes[0]!.db, SPACE, shortUuid(WEBHOOK), { status }));
  }

  /** Replays all events recorded so far, without a rate limit. */
  async replay(): Promise<void> {
    const until = Math.floor(this.world.now_ms / 1_000) + 1;
    const input = { webhook: shortUuid(WEBHOOK), since: until - 600, until, rate: null };
    await this.until(this.nodes[0]!.replays.create(this.nodes[0]!.db, SPACE, input, null));
  }

  /** Calls `work` at a steady rate, and advances the time until the last call. */
  async steadily(perSecond: number, seconds: number, work: () => void): Promise<void> {
    const clock = this.world.clockOf(this.#people);
    for (let n = 0; n < perSecond * seconds; n++) clock.after((n * 1_000) / perSecond, work);
    await this.pass(seconds * 1_000);
  }

  /** Advances the simulated time. */
  async pass(ms: number): Promise<void> {
    await this.world.run(ms, () => false);
  }

  /** Advances the simulated time until `done` resolves. */
  async until<Result>(done: Promise<Result>, limit_ms = 600_000): Promise<Result> {
    let over = false;
    const heard = done.finally(() => {
      over = true;
    });
    heard.catch(() => {});
    if (!(await this.world.run(limit_ms, () => over))) throw new Error(`not done after ${limit_ms} ms`);
    return heard;
  }

  async close(): Promise<void> {
    for (const { process, db } of this.nodes) {
      process.dead = true;
      await db.close();
    }
  }
}
