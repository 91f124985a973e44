import type { CancellationInput } from "../../server/src/delivery/cancellations.ts";
import type { EventType } from "../../server/src/kernel/event-catalog.ts";
import { longUuid, shortUuid } from "../../server/src/kernel/short-uuid.ts";
import type { Node } from "./node.ts";
import type { World } from "./world.ts";

export const SPACE = "00000000-0000-4000-8000-000000000001";
const VIDEOS = 4;
export const TYPES: readonly EventType[] = ["video.created", "video.processing", "video.uploaded", "video.deleted"];
const WEBHOOKS_MAX = 6;

/** The row of a canceled delivery. */
export interface Canceled {
  reason: string;
  webhook_id: string;
  video_id: string | null;
  type: string;
}

/** The requests that users and programs send to random nodes. A request that fails is not retried. */
export class People {
  readonly #world: World;
  readonly #racing: boolean;
  /** Events whose transactions are known to have committed. */
  readonly recorded = new Set<string>();
  readonly #cancellations = new Map<string, CancellationInput>(); // keyed by the reason shown on canceled deliveries
  #urls = 0;

  constructor(world: World, racing: boolean) {
    this.#world = world;
    this.#racing = racing;
  }

  /** Makes one request, most often to record an event. */
  async act(node: Node): Promise<void> {
    const { random } = this.#world;
    if (random.chance(0.6)) return this.#recordEvent(node);
    const acts = [
      this.#status,
      this.#status,
      this.#change,
      this.#sendAgain,
      this.#sendAgain,
      this.#retry,
      this.#replay,
      this.#steer,
      this.#cancel,
    ];
    const rare = [this.#remove, this.#add, this.#test];
    await random.pick(random.chance(0.7) ? acts : rare).call(this, node);
  }

  newUrl = (webhook: string): string => `https://r.example.com/${webhook}/${++this.#urls}`;

  async #recordEvent({ db, recorder }: Node): Promise<void> {
    const { random } = this.#world;
    const [video, type] = [`SIMVIDEO0${random.integer(VIDEOS)}`, random.pick(TYPES)];
    const { uuid } = await db.transaction(async (tx) => {
      if (!this.#racing) await tx.run(TURN, [video]);
      const [row] = await tx.run<{ sequence: number }>(COUNT, [SPACE, video]);
      return recorder.record(tx, {
        space: SPACE,
        type,
        video,
        sequence: row!.sequence,
        data: { id: video, object: "video" },
      });
    });
    this.recorded.add(uuid);
  }

  async #webhook({ webhooks }: Node): Promise<string> {
    const { data } = await webhooks.list(SPACE, { limit: 100 });
    return this.#world.random.pick(data).id;
  }

  async #status(node: Node): Promise<void> {
    const status = this.#world.random.chance(0.6) ? "enabled" : "paused";
    await node.webhooks.update(node.db, SPACE, await this.#webhook(node), { status });
  }

  async #change(node: Node): Promise<void> {
    const { random } = this.#world;
    const id = await this.#webhook(node);
    const changes = [
      { url: this.newUrl(id) },
      { ordering: random.chance(0.5) ? ("video" as const) : ("none" as const) },
      { rate_limit: random.chance(0.5) ? null : 1 + random.integer(5) },
    ];
    await node.webhooks.update(node.db, SPACE, id, random.pick(changes));
  }

  async #remove(node: Node): Promise<void> {
    const { data } = await node.webhooks.list(SPACE, { limit: 100 });
    const passing = data.find(({ description }) => description === "passing");
    if (passing !== undefined) await node.webhooks.remove(node.db, SPACE, passing.id);
  }

  async #add(node: Node): Promise<void> {
    const { data } = await node.webhooks.list(SPACE, { limit: 100 });
    if (data.length >= WEBHOOKS_MAX) return;
    const chosen = { events: [...TYPES], description: "passing", url: "https://r.example.com/" };
    await node.db.transaction(async (tx) => {
      const { id } = await node.webhooks.create(tx, SPACE, chosen);
      await tx.run(SET_URL, [longUuid(id), this.newUrl(id)]); // the receiver identifies the webhook by its URL
    });
  }

  async #test(node: Node): Promise<void> {
    await node.sendTest(node.db, SPACE, await this.#webhook(node), "webhook.test");
  }

  async #sendAgain(node: Node): Promise<void> {
    const { random } = this.#world;
    const { data } = await node.deliveries.list(SPACE, { limit: 50 });
    const { id } = random.pick(data);
    const clicks = Array.from({ length: 1 + random.integer(3) }, () => node.deliveries.sendAgain(node.db, SPACE, id));
    await Promise.allSettled(clicks);
  }

  async #retry(node: Node): Promise<void> {
    await node.webhooks.retry(node.db, SPACE, await this.#webhook(node));
  }

  async #replay(node: Node): Promise<void> {
    const { random } = this.#world;
    const since = Math.floor(this.#world.now_ms / 1_000) - 5 - random.integer(20);
    const rate = random.chance(0.5) ? null : 10 + random.integer(20);
    const input = { webhook: await this.#webhook(node), since, until: since + 1 + random.integer(30), rate };
    await node.replays.create(node.db, SPACE, input, null);
  }

  async #steer(node: Node): Promise<void> {
    const { random } = this.#world;
    const { data } = await node.replays.list(SPACE, { limit: 20 });
    const { id } = random.pick(data.filter(({ status }) => status === "running" || status === "paused"));
    if (random.chance(0.3)) await node.replays.cancel(node.db, SPACE, id);
    else await node.replays.update(node.db, SPACE, id, { status: random.chance(0.5) ? "running" : "paused" });
  }

  /** Cancels pending deliveries that match a filter on one or two properties. */
  async #cancel(node: Node): Promise<void> {
    const { random } = this.#world;
    const filters: CancellationInput[] = [
      { webhook: await this.#webhook(node) },
      { video: `SIMVIDEO0${random.integer(VIDEOS)}` },
      { type: random.pick(TYPES), status: random.pick(["waiting", "retrying", "held"]) },
    ];
    const [filter, by] = [random.pick(filters), `cancellation ${this.#cancellations.size + 1}`];
    this.#cancellations.set(`Canceled by ${by}.`, filter);
    await node.cancellations.create(SPACE, filter, by);
  }

  /** Returns whether a cancellation covered this delivery. */
  canceled({ reason, webhook_id, video_id, type }: Canceled): boolean {
    const filter = this.#cancellations.get(reason);
    if (filter === undefined) return false;
    const { webhook = shortUuid(webhook_id), video = video_id, type: asked = type } = filter;
    return webhook === shortUuid(webhook_id) && video === video_id && asked === type;
  }

  /** Enables all webhooks and resumes all paused replays. Called after the last fault. */
  async resumeAll({ db, webhooks, replays }: Node): Promise<void> {
    for (const { id, status } of (await webhooks.list(SPACE, { limit: 100 })).data)
      if (status !== "enabled") await webhooks.update(db, SPACE, id, { status: "enabled" });
    for (const { id, status } of (await replays.list(SPACE, { limit: 100 })).data)
      if (status === "paused") await replays.update(db, SPACE, id, { status: "running" });
  }
}

const SET_URL = { name: "sim_url", text: "update webhooks set url = $2 where id = $1" };
// Transactions that wait for the same row compete for its new version. Transactions that wait for the same advisory
// lock queue up, so the seed can be replayed exactly.
const TURN = { name: "sim_turn", text: "select pg_advisory_xact_lock(hashtext($1))" };
const COUNT = {
  name: "sim_count",
  text: `insert into videos (space_id, id, last_sequence) values ($1, $2, 1)
    on conflict (space_id, id) do update set last_sequence = videos.last_sequence + 1 returning last_sequence as sequence`,
};
