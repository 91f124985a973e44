import type pg from "pg";
import { createDeliveryNode, type DeliveryNode } from "../../server/src/delivery/node.ts";
import type { EventType } from "../../server/src/events/catalog.ts";
import { createRecorder, type Recorder } from "../../server/src/events/record.ts";
import { createLog } from "../../server/src/log.ts";
import type { Random } from "../../server/src/random.ts";
import { createSignals } from "../../server/src/signals.ts";
import { createVault, newSecret } from "../../server/src/webhooks/secrets.ts";
import { type DatabaseFaults, type Rewrite, SimDatabase } from "./database.ts";
import { type Arrival, simClient, TEMPERS, type Temper } from "./receivers.ts";
import { type Process, seeded, World } from "./world.ts";

export interface SimulationOptions {
  seed: number;
  connection: pg.ClientConfig;
  /** A planted bug: statements changed, or randomness taken away. */
  plant?: { rewrite?: Rewrite; fraction?: () => number };
  /** How long everything may take to be delivered once nothing fails any more, simulated ms. */
  healing_ms?: number;
}

export interface SimulationResult {
  seed: number;
  findings: string[];
  steps: number;
  events: number;
  attempts: number;
  crashes: number;
  /** Simulated seconds from the last fault until everything was delivered. */
  healed_s: number;
}

const SPACE = "00000000-0000-4000-8000-000000000001";
const NODES = 3;
const VIDEOS = 4;
const TYPES: readonly EventType[] = ["video.created", "video.processing", "video.uploaded", "video.deleted"];
const WEBHOOKS = [
  { id: "00000000-0000-7000-8000-00000000000a", ordering: "video", events: TYPES },
  { id: "00000000-0000-7000-8000-00000000000b", ordering: "video", events: ["video.created", "video.deleted"] },
  { id: "00000000-0000-7000-8000-00000000000c", ordering: "none", events: TYPES },
] as const;
const ATTEMPT_MS = 5_000;
const SCHEDULE_S = [1, 2, 4, 8];
/** How many retries tell whether their delays are drawn. */
const RETRIES_ENOUGH = 5;
const FAULTY_MS = 30_000;
const HEALING_MS = 400_000;
const NO_FAULTS: DatabaseFaults = { lostAnswer: 0, refused: 0 };
const log = createLog("silent", false);

interface Node {
  process: Process;
  db: SimDatabase;
  delivery: DeliveryNode;
  recorder: Recorder;
}

/** One run: several nodes under faults, then healed. Safety is checked before each request, liveness at the end. */
export class Simulation {
  readonly #world: World;
  readonly #options: SimulationOptions;
  readonly #vaultKey = Buffer.alloc(32, 3);
  readonly #underWay = new Map<string, Map<Process, number>>();
  readonly #tempers = new Map<string, Temper>();
  readonly #delays: number[] = []; // of retries, as parts of their step
  readonly #received = new Set<string>();
  readonly #god: Process = { name: "god", dead: false, frozenUntil_ms: 0 };
  #nodes: Node[] = [];
  #faulty = true;
  #recorded = 0;
  #attempts = 0;
  #crashes = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options.seed, options.connection);
  }

  async run(): Promise<SimulationResult> {
    const world = this.#world;
    await world.open();
    await this.#prepare();
    for (let n = 0; n < NODES; n++) await this.#startNode(n);
    this.#happen();
    this.#misfortune();
    await world.run(FAULTY_MS, () => false);
    await this.#heal();
    const healed_ms = world.now_ms;
    const drained = await world.run(this.#options.healing_ms ?? HEALING_MS, () => this.#drained());
    const endedAt_ms = world.now_ms;
    if (!drained && world.findings.length === 0) world.findings.push(await this.#stuck());
    if (world.findings.length === 0) await this.#checkHistory();
    for (const { process, db } of this.#nodes) {
      process.dead = true;
      await db.close();
    }
    await world.close();
    const { seed } = this.#options;
    const healed_s = (endedAt_ms - healed_ms) / 1_000;
    const counts = { steps: world.steps, events: this.#recorded, attempts: this.#attempts, crashes: this.#crashes };
    return { seed, findings: world.findings, healed_s, ...counts };
  }

  async #prepare(): Promise<void> {
    const { ask, random } = { ask: this.#world.ask.bind(this.#world), random: this.#world.random };
    const tables =
      "open_deliveries, deliveries, attempts, events, videos, webhooks, webhook_hours, nodes, replays, spaces";
    await ask(`truncate ${tables} cascade`);
    await ask("insert into spaces (id, name) values ($1, 'simulated')", [SPACE]);
    const vault = createVault([this.#vaultKey], random);
    for (const { id, ordering, events } of WEBHOOKS) {
      const values = [SPACE, id, `https://r.example.com/${id}`, events, ordering, vault.seal(newSecret(random), id)];
      await ask(
        "insert into webhooks (space_id, id, url, events, ordering, secret, secret_hint) values ($1, $2, $3, $4, $5, $6, 'hint')",
        values,
      );
      this.#tempers.set(id, random.pick(TEMPERS));
    }
  }

  async #startNode(index: number): Promise<void> {
    const world = this.#world;
    const process: Process = { name: `node ${index}`, dead: false, frozenUntil_ms: 0 };
    const faults = () => (this.#faulty ? { lostAnswer: 0.02, refused: 0.01 } : NO_FAULTS);
    const db = new SimDatabase(world, process, faults, this.#options.plant?.rewrite ?? ((statement) => statement));
    await db.open();
    const [clock, signals] = [world.clockOf(process), createSignals()];
    const random: Random = { ...seeded(world.random.integer(2 ** 31)) };
    if (this.#options.plant?.fraction) random.fraction = this.#options.plant.fraction;
    const vault = createVault([this.#vaultKey], random);
    const watch = {
      sending: (sender: Process, arrival: Arrival) => this.#sending(sender, arrival),
      sent: (sender: Process, arrival: Arrival) => this.#sent(sender, arrival),
      succeeded: ({ webhook, video, sequence }: Arrival) => void this.#received.add(`${webhook} ${video} ${sequence}`),
    };
    const client = simClient(world, process, (webhook) => this.#tempers.get(webhook)!, watch);
    const delivery = createDeliveryNode({
      ...{ db, clock, random, log, signals, vault, client },
      ...{ version: "sim", schedule_s: SCHEDULE_S, attempt_ms: ATTEMPT_MS },
      onAttempt: ({ verdict: { outcome, again, rest_ms, delay_ms, step } }) => {
        if (outcome === "retry" && !again && rest_ms === 0) this.#delays.push(delay_ms / SCHEDULE_S[step - 1]!);
      },
    });
    const recorder = createRecorder({ db, clock, random, signals, courier: delivery.courier });
    const node = { process, db, delivery, recorder };
    this.#nodes[index] = node;
    this.#keepStarting(node);
  }

  /** As the supervisor of a process would. */
  #keepStarting(node: Node): void {
    void node.delivery
      .start()
      .catch(() => this.#world.clockOf(node.process).after(500, () => this.#keepStarting(node)));
  }

  /** Videos and what happens to them, recorded by whichever node is asked. */
  #happen(): void {
    const { random } = this.#world;
    this.#world.clockOf(this.#god).after(random.integer(1_200), () => {
      if (!this.#faulty) return;
      const node = random.pick(this.#nodes);
      const video = `SIMVIDEO0${random.integer(VIDEOS)}`;
      if (!node.process.dead) void this.#record(node, video, random.pick(TYPES)).catch(() => {}); // a fault: the caller asks again, or not
      this.#happen();
    });
  }

  #record({ recorder }: Node, video: string, type: EventType): Promise<unknown> {
    return recorder.transaction(async (tx) => {
      const [row] = await tx.run<{ sequence: number }>(COUNT, [SPACE, video]);
      const { sequence } = row!;
      await tx.record({ space: SPACE, type, video, sequence, data: { id: video, object: "video" } });
    });
  }

  #misfortune(): void {
    const { random } = this.#world;
    this.#world.clockOf(this.#god).after(random.integer(4_000), () => {
      if (!this.#faulty) return;
      const index = random.integer(NODES);
      this.#world.checks.push(() => this.#strike(index, random.integer(5)));
      this.#misfortune();
    });
  }

  async #strike(index: number, how: number): Promise<void> {
    const { random, now_ms } = this.#world;
    const { process, db } = this.#nodes[index]!;
    if (how === 0 && !process.dead) await this.#crash(index);
    else if (how === 1) process.frozenUntil_ms = now_ms + random.integer(45_000);
    else if (how === 2) await db.cutSession();
    else if (how === 3) this.#tempers.set(random.pick(WEBHOOKS).id, random.pick(TEMPERS));
    else await this.#world.ask("update sim.clock set at = at - $1 * interval '1 ms'", [random.integer(5_000)]);
  }

  async #crash(index: number): Promise<void> {
    const { process, db } = this.#nodes[index]!;
    this.#crashes += 1;
    await this.#world.bury(process);
    await db.close();
    for (const senders of this.#underWay.values()) senders.delete(process);
    const { random } = this.#world;
    this.#world.clockOf(this.#god).after(random.integer(8_000), () => {
      this.#world.checks.push(() => this.#startNode(index));
    });
  }

  async #heal(): Promise<void> {
    this.#faulty = false;
    for (const { process } of this.#nodes) process.frozenUntil_ms = 0;
    for (const { id } of WEBHOOKS) this.#tempers.set(id, "healthy");
    for (const [index, { process }] of this.#nodes.entries()) if (process.dead) await this.#startNode(index);
  }

  // ── Safety: asked of the database before each request leaves ──

  #sending(process: Process, arrival: Arrival): void {
    this.#attempts += 1;
    const key = keyOf(arrival);
    const others = this.#underWay.get(key) ?? new Map<Process, number>();
    // What began longer ago than an attempt may take is over, though a frozen process has not noticed yet.
    for (const [other, begun_ms] of others)
      if (begun_ms + ATTEMPT_MS > this.#world.now_ms)
        this.#find(arrival, `sent by ${process.name} while the attempt of ${other.name} had not ended`);
    this.#underWay.set(key, others.set(process, this.#world.now_ms));
    this.#checkEarlier(arrival);
    this.#world.checks.push(() => this.#checkSend(process, arrival));
  }

  /** No attempt of an earlier event may be under way: whoever let this one go believed that it had ended. */
  #checkEarlier(arrival: Arrival): void {
    const { webhook, video, sequence } = arrival;
    if (WEBHOOKS.find(({ id }) => id === webhook)!.ordering !== "video") return;
    for (let earlier = 1; earlier < sequence; earlier++)
      for (const [other, begun_ms] of this.#underWay.get(keyOf({ ...arrival, sequence: earlier, video })) ?? [])
        if (begun_ms + ATTEMPT_MS > this.#world.now_ms)
          this.#find(arrival, `sent while ${other.name} was still sending ${earlier}`);
  }

  #sent(process: Process, arrival: Arrival): void {
    this.#underWay.get(keyOf(arrival))?.delete(process);
  }

  async #checkSend(process: Process, arrival: Arrival): Promise<void> {
    const { webhook, video, sequence, attempt } = arrival;
    const rows = await this.#world.ask<{ sequence: number; attempt: number; leased: boolean }>(
      `select sequence, attempt, leased_until > sim.now() as leased from open_deliveries
       where webhook_id = $1 and video_id = $2 and sequence <= $3 order by sequence`,
      [webhook, video, sequence],
    );
    const row = rows.find((each) => each.sequence === sequence);
    if (row === undefined) this.#find(arrival, `${process.name} sent what is not open`);
    else if (row.attempt !== attempt)
      this.#find(arrival, `${process.name} sent an attempt that is over (now ${row.attempt})`);
    else if (!row.leased) this.#find(arrival, `${process.name} sent without a lease`);
    const ordered = WEBHOOKS.find(({ id }) => id === webhook)!.ordering === "video";
    if (ordered && rows.some((each) => each.sequence < sequence))
      this.#find(arrival, `sent before ${rows[0]!.sequence} had ended`);
  }

  #find({ webhook, video, sequence, attempt }: Arrival, what: string): void {
    const which = `${webhook.at(-1)} ${video.at(-1)} #${sequence} attempt ${attempt}`;
    this.#world.findings.push(`seed ${this.#options.seed}, step ${this.#world.steps}: ${which}: ${what}`);
  }

  // ── Liveness: after the faults everything ends ──

  async #drained(): Promise<boolean> {
    if (this.#world.steps % 50 !== 0) return false;
    const [row] = await this.#world.ask<{ open: number }>("select count(*)::int as open from open_deliveries");
    return row!.open === 0;
  }

  async #stuck(): Promise<string> {
    const rows = await this.#world.ask<object>(
      "select webhook_id, video_id, sequence, attempt, due_at, leased_until, leased_by, followed from open_deliveries limit 3",
    );
    return `seed ${this.#options.seed}: not drained: ${JSON.stringify(rows)}`;
  }

  async #checkHistory(): Promise<void> {
    const missing = await this.#world.ask<{ id: string }>(
      `select e.id from events e join webhooks w on e.type = any(w.events)
       where not exists (select from deliveries d where d.event_id = e.id and d.webhook_id = w.id)`,
    );
    if (missing.length > 0)
      this.#world.findings.push(`seed ${this.#options.seed}: ${missing.length} deliveries were lost`);
    const untrue = await this.#world.ask<{ webhook_id: string; video_id: string; sequence: number }>(
      "select webhook_id, video_id, sequence from deliveries where status = 'succeeded'",
    );
    for (const { webhook_id, video_id, sequence } of untrue)
      if (!this.#received.has(`${webhook_id} ${video_id} ${sequence}`))
        this.#world.findings.push(
          `seed ${this.#options.seed}: ${sequence} of ${video_id} is a success that nobody received`,
        );
    const [events] = await this.#world.ask<{ n: number; gaps: number }>(
      `select count(*)::int as n, (select count(*)::int from (select max(sequence) - count(*) as gap from events group by video_id) g
        where gap <> 0) as gaps from events`,
    );
    this.#recorded = events!.n;
    if (events!.gaps > 0) this.#world.findings.push(`seed ${this.#options.seed}: a video's numbers have gaps`);
    if (this.#delays.length > RETRIES_ENOUGH && new Set(this.#delays).size === 1)
      this.#world.findings.push(`seed ${this.#options.seed}: every retry waits the same: no jitter`);
  }
}

const keyOf = ({ webhook, video, sequence }: Arrival): string => `${webhook} ${video} ${sequence}`;

const COUNT = {
  name: "sim_count",
  text: `insert into videos (space_id, id, last_sequence) values ($1, $2, 1)
    on conflict (space_id, id) do update set last_sequence = videos.last_sequence + 1 returning last_sequence as sequence`,
};
