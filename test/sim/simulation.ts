import { shortUuid } from "../../server/src/kernel/short-uuid.ts";
import { createVault, newSecret } from "../../server/src/webhooks/secrets.ts";
import type { Connections } from "./connections.ts";
import { type DatabaseFaults, type Rewrite, SimDatabase } from "./database.ts";
import { Invariants } from "./invariants.ts";
import { createNode, keepStarting, type Node, SCHEDULE_S } from "./node.ts";
import { type Canceled, People, SPACE, TYPES } from "./people.ts";
import { TEMPERS, type Temper } from "./receivers.ts";
import { newProcess, World } from "./world.ts";

export interface SimulationOptions {
  seed: number;
  connections: Connections;
  /** A planted bug, which rewrites statements or removes randomness. */
  plant?: { rewrite?: Rewrite; fraction?: () => number };
  /** How long it may take to deliver everything after the last fault, in simulated ms. */
  healing_ms?: number;
  /**
   * Whether changes to a video compete for its row. This is closer to production, but then a seed cannot always be
   * replayed exactly.
   */
  racing?: boolean;
}

export interface SimulationResult {
  seed: number;
  findings: string[];
  trace: string;
  steps: number;
  events: number;
  attempts: number;
  crashes: number;
  replayed: number;
  /** The number of deliveries canceled by a cancellation. */
  canceled: number;
  /** Simulated seconds from the last fault until everything was delivered. */
  healed_s: number;
}

const NODES = 3;
/** Webhooks that exist for the whole run. Other webhooks are added and removed during the run. */
const WEBHOOKS = [
  { id: "00000000-0000-7000-8000-00000000000a", ordering: "video", events: TYPES },
  { id: "00000000-0000-7000-8000-00000000000b", ordering: "video", events: ["video.created", "video.deleted"] },
  { id: "00000000-0000-7000-8000-00000000000c", ordering: "none", events: [...TYPES, "webhook.disabled"] },
] as const;
/** How many retries are needed to detect missing jitter. */
const RETRIES_ENOUGH = 5;
const FAULTY_MS = 30_000;
const HEALING_MS = 400_000;
const NO_FAULTS: DatabaseFaults = { lostResponse: 0, refused: 0 };
/** How much longer a lease lasts than an attempt. The database clock may step ahead by this much without harm. */
const MARGIN_MS = 1_000;

/** How long a node that lost its session is protected from freezes and slowdowns. */
const BACK_MS = 3_000;

/**
 * Runs several nodes, first with faults and then without. Safety is checked before each request, and liveness at the
 * end.
 */
export class Simulation {
  readonly #world: World;
  readonly #options: SimulationOptions;
  readonly #people: People;
  readonly #invariants: Invariants;
  readonly #tempers = new Map<string, Temper>();
  readonly #delays: number[] = []; // each retry's delay divided by its scheduled delay
  readonly #scheduler = newProcess("scheduler");
  readonly #backAt_ms = Array.from({ length: NODES }, () => 0);
  #nodes: Node[] = [];
  #faulty = true;
  #crashes = 0;
  #skips = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options.seed, options.connections);
    this.#people = new People(this.#world, this.#options.racing ?? false);
    this.#invariants = new Invariants(this.#world, (what) => this.#find(what));
  }

  async run(): Promise<SimulationResult> {
    const world = this.#world;
    await this.#prepare();
    for (let n = 0; n < NODES; n++) await this.#startNode(n);
    this.#actOften();
    this.#faultOften();
    this.#observe();
    await world.run(FAULTY_MS, () => false);
    await this.#heal();
    const healed_ms = world.now_ms;
    const drained = await world.run(this.#options.healing_ms ?? HEALING_MS, () => this.#drained());
    if (!drained && world.findings.length === 0) this.#find(await this.#stuck());
    if (world.findings.length === 0) await this.#checkHistory();
    for (const { process, db } of this.#nodes) {
      process.dead = true;
      await db.close();
    }
    return this.#result((world.now_ms - healed_ms) / 1_000);
  }

  async #result(healed_s: number): Promise<SimulationResult> {
    const { findings, steps } = this.#world;
    const [counts] = await this.#world.ask<{ events: number; replayed: number; canceled: number }>(
      `select (select count(*)::int from events) as events, (select count(*)::int from sim.replayed) as replayed,
        (select count(*)::int from deliveries where reason like 'Canceled by %') as canceled`,
    );
    const { attempts } = this.#invariants;
    const trace = this.#world.trace();
    return { seed: this.#options.seed, findings, trace, steps, ...counts!, attempts, crashes: this.#crashes, healed_s };
  }

  async #prepare(): Promise<void> {
    const world = this.#world;
    const { random } = world;
    await world.connections.setClock(world.now_ms);
    const tables =
      "pending_deliveries, deliveries, attempts, events, videos, webhooks, webhook_hours, nodes, replays, spaces, sim.replayed";
    await world.ask(`truncate ${tables} cascade`);
    await world.ask("insert into spaces (id, name) values ($1, 'simulated')", [SPACE]);
    const vault = createVault([Buffer.alloc(32, 3)], random);
    for (const { id, ordering, events } of WEBHOOKS) {
      const url = this.#people.newUrl(shortUuid(id));
      await world.ask(
        "insert into webhooks (space_id, id, url, events, ordering, secret, secret_hint) values ($1, $2, $3, $4, $5, $6, 'hint')",
        [SPACE, id, url, events, ordering, vault.seal(newSecret(random), id)],
      );
    }
    this.#skips = random.chance(0.25);
  }

  async #startNode(index: number): Promise<void> {
    const world = this.#world;
    const process = newProcess(`node ${index}`, world.random.integer(4_000) - 2_000);
    const db = new SimDatabase({
      world,
      process,
      faults: () => (this.#faulty ? { lostResponse: 0.02, refused: 0.01 } : NO_FAULTS),
      rewrite: this.#options.plant?.rewrite ?? ((statement) => statement),
      onNotice: (channel, payload) => this.#tell(channel, payload),
      onFault: () => this.#invariants.troubled(process),
    });
    await db.open();
    const node = createNode({
      ...{ world, process, db, watch: this.#invariants, fraction: this.#options.plant?.fraction },
      temperOf: (webhook) => this.#temperOf(webhook),
      onOutcome: ({ result, immediate, isEarly, rest_ms, delay_ms, step }) => {
        if (result === "retry" && !immediate && !isEarly && rest_ms === 0)
          this.#delays.push(delay_ms / SCHEDULE_S[step - 1]!);
      },
    });
    this.#nodes[index] = node;
    keepStarting(world, node);
  }

  #temperOf(webhook: string): Temper {
    if (!this.#faulty) return "healthy";
    const temper = this.#tempers.get(webhook) ?? this.#world.random.pick(TEMPERS);
    this.#tempers.set(webhook, temper);
    return temper;
  }

  /** Sends a notification to all nodes. While faults are injected, some nodes do not receive it. */
  #tell(channel: string, payload: string): void {
    const { random } = this.#world;
    for (const { process, db } of this.#nodes) {
      if (this.#faulty && random.chance(0.3)) continue;
      this.#world.clockOf(process).after(random.integer(20), () => db.notice(channel, payload));
    }
  }

  #actOften(): void {
    const { random } = this.#world;
    this.#world.clockOf(this.#scheduler).after(random.integer(700), () => {
      if (!this.#faulty) return;
      const node = random.pick(this.#nodes);
      if (!node.process.dead) void this.#people.act(node).catch(() => {}); // rejected, or failed because of a fault
      this.#actOften();
    });
  }

  #observe(): void {
    this.#world.clockOf(this.#scheduler).after(1_000, () => {
      this.#world.checks.push(() => this.#invariants.observe());
      this.#observe();
    });
  }

  // ── Faults ──

  #faultOften(): void {
    const { random } = this.#world;
    this.#world.clockOf(this.#scheduler).after(random.integer(3_000), () => {
      if (!this.#faulty) return;
      const index = random.integer(NODES);
      this.#world.checks.push(() => this.#fault(index, random.integer(8)));
      this.#faultOften();
    });
  }

  async #fault(index: number, how: number): Promise<void> {
    const { random } = this.#world;
    const { process } = this.#nodes[index]!;
    this.#world.note(`fault ${how} on node ${index}`);
    if (how === 0 && !process.dead) await this.#crash(index);
    else if (how === 1) this.#disturb(index, "frozenUntil_ms", random.integer(45_000));
    else if (how === 2) await this.#cut(index);
    else if (how === 3) this.#disturb(index, "slowUntil_ms", random.integer(10_000));
    else if (how === 4) this.#jumpClock(-random.integer(5_000));
    else if (how === 5) this.#jumpClock(random.integer(this.#skips ? 40_000 : MARGIN_MS / 4));
    else if (how === 6) process.skew_ms = random.integer(10_000) - 5_000;
    else if (this.#tempers.size > 0) this.#tempers.set(random.pick([...this.#tempers.keys()]), random.pick(TEMPERS));
  }

  #disturb(index: number, until: "frozenUntil_ms" | "slowUntil_ms", for_ms: number): void {
    const { process } = this.#nodes[index]!;
    if (this.#world.now_ms < this.#backAt_ms[index]!) return;
    process[until] = this.#world.now_ms + for_ms;
    this.#invariants.troubled(process, process[until]);
  }

  /**
   * Cuts a node's session, unless the node is frozen or slow. Normally, the node reopens its session before other nodes
   * presume it dead. A frozen or slow node would be too late, so another node could repeat its attempts while they are
   * still in flight. That is the price of claiming a dead node's work early.
   */
  async #cut(index: number): Promise<void> {
    const { process, db } = this.#nodes[index]!;
    const { now_ms } = this.#world;
    if (Math.max(process.frozenUntil_ms, process.slowUntil_ms) > now_ms) return;
    this.#backAt_ms[index] = now_ms + BACK_MS;
    this.#invariants.troubled(process);
    await db.cutSession();
  }

  /** Moves the database clock forward or backward. */
  #jumpClock(by_ms: number): void {
    this.#world.jumped_ms += by_ms;
    if (by_ms > MARGIN_MS / 4) this.#invariants.skipped();
  }

  async #crash(index: number): Promise<void> {
    const { process, db } = this.#nodes[index]!;
    this.#crashes += 1;
    await this.#world.kill(process);
    await db.close();
    this.#invariants.died(process);
    const { random } = this.#world;
    this.#world.clockOf(this.#scheduler).after(random.integer(8_000), () => {
      this.#world.checks.push(async () => {
        if (this.#nodes[index]!.process === process) await this.#startNode(index); // otherwise #heal has started it
      });
    });
  }

  async #heal(): Promise<void> {
    this.#faulty = false;
    for (const [index, { process }] of this.#nodes.entries()) {
      for (const until of ["frozenUntil_ms", "slowUntil_ms"] as const)
        if (process[until] > this.#world.now_ms) process[until] = 0;
      this.#invariants.troubled(process);
      if (process.dead) await this.#startNode(index);
    }
    this.#resume();
  }

  /** Enables webhooks and resumes replays again and again, because an attempt in flight may still disable a webhook. */
  #resume(): void {
    void this.#people.resumeAll(this.#nodes[0]!).catch(() => {}); // fails if a webhook was just deleted; retried below
    this.#world.clockOf(this.#scheduler).after(10_000, () => this.#resume());
  }

  #find(what: string): void {
    this.#world.findings.push(`seed ${this.#options.seed}, step ${this.#world.steps}: ${what}`);
  }

  // ── Liveness: every delivery ends after the last fault ──

  async #drained(): Promise<boolean> {
    if (this.#world.steps % 50 !== 0) return false;
    const [row] = await this.#world.ask<{ pending: boolean }>(
      "select exists (select from pending_deliveries) or exists (select from replays where status in ('running', 'paused')) as pending",
    );
    return !row!.pending;
  }

  async #stuck(): Promise<string> {
    const pending = await this.#world.ask<object>(
      "select webhook_id, video_id, sequence, attempt, due_at, leased_until, leased_by from pending_deliveries limit 3",
    );
    const replays = await this.#world.ask<object>(
      "select * from replays where status in ('running', 'paused') limit 3",
    );
    return `not drained: ${JSON.stringify({ pending, replays })}`;
  }

  async #checkHistory(): Promise<void> {
    for (const [what, text] of HISTORY) {
      const [row] = await this.#world.ask<object>(text);
      if (row !== undefined) this.#find(`${what}: ${JSON.stringify(row)}`);
    }
    for (const row of await this.#world.ask<Canceled>(CANCELED))
      if (!this.#people.canceled(row)) this.#find(`canceled without a request: ${JSON.stringify(row)}`);
    const successes = await this.#world.ask<{ webhook_id: string; event_id: string }>(
      "select webhook_id, event_id from deliveries where status = 'succeeded'",
    );
    for (const { webhook_id, event_id } of successes)
      if (!this.#invariants.received.has(`${webhook_id} ${event_id}`))
        this.#find(`${event_id} for ${webhook_id} succeeded, but no receiver got it`);
    const kept = new Set((await this.#world.ask<{ id: string }>("select id from events")).map(({ id }) => id));
    for (const event of this.#people.recorded) if (!kept.has(event)) this.#find(`${event} was recorded and is lost`);
    if (this.#delays.length > RETRIES_ENOUGH && new Set(this.#delays).size === 1)
      this.#find("every retry has the same delay: no jitter");
  }
}

/** Selects deliveries that were canceled although their webhook exists and their replay was not canceled. */
const CANCELED = `select d.* from deliveries d join webhooks w on w.id = d.webhook_id
  where d.status = 'canceled' and d.reason <> 'Its replay was canceled.'`;

const PERMANENT = WEBHOOKS.map(({ id }) => `'${id}'`).join();

/** Statements that find violations in the history. Each must return no rows. */
const HISTORY: [what: string, text: string][] = [
  [
    "a delivery was lost",
    `select e.id as event, w.id as webhook from events e join webhooks w on e.type = any(w.events)
     where w.id in (${PERMANENT}) and e.sequence > 0
       and not exists (select from deliveries d where d.event_id = e.id and d.webhook_id = w.id)`,
  ],
  [
    "a video's sequence has gaps",
    "select video_id from events where sequence > 0 group by video_id having max(sequence) <> count(*)",
  ],
  [
    "the log has an attempt that the delivery does not count",
    `select d.*, a.attempt from deliveries d join attempts a on a.space_id = d.space_id and a.delivery_id = d.id
     where a.attempt > d.attempts`,
  ],
  [
    "a delivery ended, but the log has no attempt that ended it",
    `select d.* from deliveries d where d.status in ('succeeded', 'failed') and not exists
       (select from attempts a where a.space_id = d.space_id and a.delivery_id = d.id and a.attempt <= d.attempts
          and a.outcome = d.status)`,
  ],
  [
    "a replay sent a delivery twice",
    "select replay_id, delivery_id from sim.replayed group by 1, 2 having count(*) > 1",
  ],
  [
    "a replay skipped an event in its range",
    `select r.id as replay, e.id as event from replays r join webhooks w on w.id = r.webhook_id
     join events e on e.type = any(coalesce(r.types, w.events)) and e.sequence > 0
       and e.id >= id_floor(r.since) and e.id < id_floor(r.until)
     where r.status = 'done' and not exists (select from deliveries d where d.event_id = e.id and d.webhook_id = w.id)`,
  ],
];
