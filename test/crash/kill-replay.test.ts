import { describe, expect, test } from "vitest";
import { call } from "./caller.ts";
import { type Kill, losses } from "./losses.ts";
import { type Scene, setScene, wait } from "./scene.ts";

const VIDEOS = 120;
const PATHS = ["/healthy", "/flaky"];
/** A replay keeps only a few deliveries pending, so after this many arrivals it must have created new ones. */
const ARRIVALS_BETWEEN_KILLS = 60;
const KILLS = 3;

describe("a replay whose server is killed", () => {
  test("continues and does not repeat any delivery that succeeded", { timeout: 400_000 }, async () => {
    const scene = await setScene({}, []);
    const load = scene.load({ callers: 4, pause_ms: 10 });
    const { created, deleted } = load.acknowledged;
    await expect.poll(() => created.size, { timeout: 60_000 }).toBeGreaterThan(VIDEOS);
    await load.stop();
    await scene.register(PATHS);
    const replays = await Promise.all([...scene.webhooks.values()].map((webhook) => replayAll(scene, webhook)));

    const kills: Kill[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = arrived(scene);
      await expect.poll(() => arrived(scene), { timeout: 60_000 }).toBeGreaterThan(before + ARRIVALS_BETWEEN_KILLS);
      await scene.server.kill();
      await wait(50); // gives the receiver time to read everything sent before the kill
      kills.push({ what: "service", over_ms: Date.now() });
      const all = (created.size + deleted.size) * PATHS.length;
      expect(arrived(scene), "killed before the end").toBeLessThan(all);
      await scene.server.start();
    }
    for (const replay of replays) await expect.poll(() => statusOf(scene, replay), { timeout: 60_000 }).toBe("done");
    await scene.drained();

    const ledger = await scene.compare(load);
    const { received, unrecorded, duplicates } = ledger;
    console.log(`${KILLS} kills: ${received.length} requests, ${unrecorded.length} lost, ${duplicates.length} twice`);
    expect(ledger.findings).toEqual([]);
    expect(losses(received, unrecorded, kills).findings).toEqual([]);
    expect(unrecorded.map(({ delivery }) => delivery)).toEqual(expect.arrayContaining(duplicates));
  });
});

const arrived = ({ receiver }: Scene): number => receiver.read().length;

/** Creates a replay of all events, including those recorded before the webhook was registered. @returns its id */
async function replayAll({ caller }: Scene, webhook: string): Promise<string> {
  const until = Math.ceil(Date.now() / 1000) + 1;
  const input = { webhook, since: until - 600, until };
  const { status, body } = await call<{ id: string }>(caller, "POST", "/v1/replays", input, webhook);
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}

async function statusOf({ caller }: Scene, replay: string): Promise<string> {
  return (await call<{ status: string }>(caller, "GET", `/v1/replays/${replay}`)).body.status;
}
