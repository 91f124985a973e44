import type { EventType } from "../../server/src/kernel/event-catalog.ts";
import { shortUuid } from "../../server/src/kernel/short-uuid.ts";
import { createVault, newSecret } from "../../server/src/webhooks/secrets.ts";
import type { Connections } from "./connections.ts";
import { SimDatabase } from "./database.ts";
import { createNode, keepStarting, type Node } from "./node.ts";
import { SPACE } from "./people.ts";
import type { Arrival, Temper } from "./receivers.ts";
import { newProcess, World } from "./world.ts";

/** A request, when it left and which node sent it. */
export interface Sent extends Arrival {
  at_ms: number;
  node: number;
}

const WEBHOOK = "00000000-0000-7000-8000-00000000000a";

/** Several nodes at one database, one webhook, simulated time and no faults: for what the engine does in its own time. */
export class Stage {
  readonly world: World;
  readonly nodes: Node[] = [];
  readonly sent: Sent[] = [];
  /** How its receiver answers. */
  temper: Temper = "healthy";
  /** Requests under way. */
  underWay = 0;
  /** Told of each request that has ended. */
  onEnd: (request: Arrival) => void = () => {};
  readonly #people = newProcess("people");
  #videos = 0;

  constructor(connections: Connections, seed = 1) {
    this.world = new World(seed, connections);
  }

  /** @param more columns of its webhook */
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
    await this.pass(3_000); // the nodes know of each other
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
        this.underWay += 1;
      },
      sent: (_process: unknown, arrival: Arrival) => {
        this.underWay -= 1;
        this.onEnd(arrival);
      },
      succeeded: () => {},
    };
    const node = createNode({ world, process, db, watch, temperOf: () => this.temper, onVerdict: () => {} });
    this.nodes.push(node);
    keepStarting(world, node);
  }

  /** An event of a new video, recorded on this node. Resolves with its id. */
  async happen(node = 0, type: EventType = "video.created"): Promise<string> {
    const video = `STAGE${String(++this.#videos).padStart(5, "0")}`;
    const data = { id: video, object: "video" };
    return (await this.nodes[node]!.recorder.record({ space: SPACE, type, video, sequence: 1, data })).uuid;
  }

  async setStatus(status: "enabled" | "paused"): Promise<void> {
    await this.until(this.nodes[0]!.webhooks.update(SPACE, shortUuid(WEBHOOK), { status }));
  }

  /** Sends again whatever there has been, as fast as it goes. */
  async replay(): Promise<void> {
    const until = Math.floor(this.world.now_ms / 1_000) + 1;
    const input = { webhook: shortUuid(WEBHOOK), since: until - 600, until, rate: null };
    await this.until(this.nodes[0]!.replays.create(SPACE, input, null));
  }

  /** Has `work` done so often, evenly, and lets the time pass that this takes. */
  async steadily(perSecond: number, seconds: number, work: () => void): Promise<void> {
    const clock = this.world.clockOf(this.#people);
    for (let n = 0; n < perSecond * seconds; n++) clock.after((n * 1_000) / perSecond, work);
    await this.pass(seconds * 1_000);
  }

  /** Lets simulated time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.run(ms, () => false);
  }

  /** Lets things happen until this is done. */
  async until<Result>(done: Promise<Result>, limit_ms = 600_000): Promise<Result> {
    let over = false;
    const heard = done.finally(() => {
      over = true;
    });
    heard.catch(() => {});
    if (!(await this.world.run(limit_ms, () => over))) throw new Error(`nothing came of it in ${limit_ms} ms`);
    return heard;
  }

  async close(): Promise<void> {
    for (const { process, db } of this.nodes) {
      process.dead = true;
      await db.close();
    }
  }
}
