import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { createDeliveries } from "../delivery/deliveries.ts";
import { createReplays } from "../delivery/replays.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { createErasures } from "./erasures.ts";

const db = await testDatabase();
const engine = await engineParts(db);
const { space, webhooks } = engine;
const erasures = createErasures(engine);
const deliveries = createDeliveries({ ...engine, retries: 9 });
const replays = createReplays({ ...engine, clock: systemClock, random: systemRandom, log: createLog("silent", false) });
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);

let videos = 0;
const newVideo = () => `E${String(++videos).padStart(9, "0")}`;
const markDeleted = (video: string) =>
  query("update videos set deleted_at = now() where space_id = $1 and id = $2", [space, video]);
/** Moves pending deliveries to the history with one attempt, as a settle does. */
const finish = (video: string) =>
  query(
    `with gone as (delete from pending_deliveries where video_id = $1 returning *), logged as (
       insert into attempts (space_id, delivery_id, attempt, outcome, started_at, url, request_headers, response_headers, response_body)
       select space_id, id, 1, 'succeeded', now(), 'https://r.example.com', '{"a":"b"}', '[]', 'body' from gone
     )
     insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
     select space_id, id, webhook_id, event_id, type, video_id, sequence, previous, 'succeeded', 1 from gone
     on conflict do nothing`,
    [video],
  );
const left = async (video: string) =>
  (
    await query<{ payloads: number; contents: number; pending: number }>(
      `select (select count(payload)::int from events where video_id = $1) as payloads,
         (select count(*)::int from attempts a join deliveries d on d.space_id = a.space_id and d.id = a.delivery_id
           where d.video_id = $1 and (request_headers is not null or response_headers is not null or response_body is not null)) as contents,
         (select count(*)::int from pending_deliveries where video_id = $1) as pending`,
      [video],
    )
  )[0];

test("an erasure works in slices, and after a crash the next call erases the rest", async () => {
  const video = newVideo();
  await happen(engine, video);
  await markDeleted(video);
  const rows = LIMITS.ERASURE_SLICE * 2 + 1;
  await query(
    `with made as (select n, gen_random_uuid() as id from generate_series(2, $3::int) n), recorded as (
       insert into events (space_id, id, type, video_id, sequence, payload)
       select $1::uuid, id, 'video.uploaded', $2::text, n, '{}' from made
     ), delivered as (
       insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
       select $1, id, $1, id, 'video.uploaded', $2, n, 0, 'succeeded', 1 from made
     )
     insert into attempts (space_id, delivery_id, attempt, outcome, started_at, url, response_body)
     select $1, id, 1, 'succeeded', now(), 'https://r.example.com', 'body' from made`,
    [space, video, rows],
  );
  let commits = 0;
  const dies: typeof db = {
    ...db,
    transaction: (work) => (++commits > 1 ? Promise.reject(new Error("killed")) : db.transaction(work)),
  };
  await expect(createErasures({ db: dies }).create(db, space, video)).rejects.toThrow("killed");
  expect(await left(video)).toMatchObject({ payloads: rows - LIMITS.ERASURE_SLICE, contents: rows - 1 });
  const done = await erasures.create(db, space, video);
  expect(done).toMatchObject({ events: rows - LIMITS.ERASURE_SLICE, attempts: rows - 1, has_more: false });
  expect(await left(video)).toEqual({ payloads: 0, contents: 0, pending: 0 });
});

test("an erasure leaves other videos unchanged", async () => {
  const { id } = await webhooks.create(db, space, { url: "https://r.example.com/others", events: ["video.created"] });
  const [gone, other] = [newVideo(), newVideo()];
  for (const video of [gone, other]) {
    await happen(engine, video);
    await finish(video);
    await markDeleted(video);
  }
  await erasures.create(db, space, gone);
  expect(await left(gone)).toEqual({ payloads: 0, contents: 0, pending: 0 });
  expect(await left(other)).toEqual({ payloads: 1, contents: 1, pending: 0 });
  await webhooks.remove(db, space, id);
});

test("an erasure that races with a replay or a manual send never leaves a pending delivery without its payload", async () => {
  const { id: webhook } = await webhooks.create(db, space, {
    url: "https://r.example.com/race",
    events: ["video.created"],
  });
  for (let round = 0; round < 24; round++) {
    const video = newVideo();
    await happen(engine, video);
    await finish(video);
    await markDeleted(video);
    const [delivery] = (await deliveries.list(space, { video, limit: 1 })).data;
    const range = { webhook, since: 0, until: 4_000_000_000, video };
    if (round % 2 === 0) await replays.create(db, space, range, null);
    const reopen = () => (round % 2 === 0 ? replays.round() : deliveries.sendAgain(db, space, delivery!.id));
    const both =
      round % 4 < 2 ? [erasures.create(db, space, video), reopen()] : [reopen(), erasures.create(db, space, video)];
    await Promise.allSettled(both);
    const { payloads, contents, pending } = (await left(video))!;
    expect(pending, `round ${round}`).toBe(payloads);
    expect(contents).toBe(payloads);
    await query("delete from pending_deliveries where video_id = $1", [video]);
  }
  await webhooks.remove(db, space, webhook);
});
