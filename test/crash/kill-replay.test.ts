import { expect, test } from "vitest";
import { call } from "./api.ts";
import { type Kill, losses } from "./losses.ts";
import { pass, type Scene, setScene } from "./scene.ts";

const VIDEOS = 120;
const PATHS = ["/healthy", "/flaky"];
/** A replay opens few deliveries at a time; that many arrivals later it has opened others. */
const BETWEEN_KILLS = 60;
const KILLS = 3;

test("a replay whose service is killed goes on, and sends nothing twice that it had sent", {
  timeout: 400_000,
}, async () => {
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
    await expect.poll(() => arrived(scene), { timeout: 60_000 }).toBeGreaterThan(before + BETWEEN_KILLS);
    await scene.server.kill();
    await pass(50); // what had been sent by then is read
    kills.push({ what: "service", over_ms: Date.now() });
    expect(arrived(scene), "killed in the middle").toBeLessThan((created.size + deleted.size) * PATHS.length);
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

const arrived = ({ receiver }: Scene): number => receiver.read().length;

/** Of all that happened before this webhook was there. @returns the replay's id */
async function replayAll({ caller }: Scene, webhook: string): Promise<string> {
  const until = Math.ceil(Date.now() / 1000) + 1;
  const asked = { webhook, since: until - 600, until };
  const { status, body } = await call<{ id: string }>(caller, "POST", "/v1/replays", asked, webhook);
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}

async function statusOf({ caller }: Scene, replay: string): Promise<string> {
  return (await call<{ status: string }>(caller, "GET", `/v1/replays/${replay}`)).body.status;
}
