import { expect, test } from "vitest";
import { createReplays } from "../../server/src/delivery/replays.ts";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { happen } from "../support/engine.ts";

const db = await testDatabase();
const api = await testApi(db);

test("canceling a replay cancels its pending deliveries, except those being sent, and subtracts the canceled ones from the done count", async () => {
  const total = LIMITS.REPLAY_WINDOW + 1; // one more than fits in the replay's window, so that it cannot finish
  for (let n = 0; n < total; n++) await happen(api, `a${n}`.padEnd(10, "z")); // recorded before the webhook is created
  const body = { url: "https://r.example.com/", events: ["video.created"] };
  const { id: webhook } = (await api.ask("POST", "/v1/webhooks", body)).json;
  const range = { webhook, since: 0, until: Math.floor(Date.now() / 1_000) + 60, rate: null };
  const { id } = (await api.ask("POST", "/v1/replays", range)).json;
  await createReplays(api).round();
  const replay = async () => (await api.ask("GET", `/v1/replays/${id}`)).json;
  expect(await replay()).toMatchObject({ total, done: total - 1 });
  await api.ask("PATCH", `/v1/replays/${id}`, { status: "paused" });

  const sending =
    "update pending_deliveries set leased_until = now() + interval '1 minute' where video_id = 'a0zzzzzzzz'";
  await db.run({ name: "", text: sending });
  const response = await api.ask("DELETE", `/v1/replays/${id}`);
  expect(response.json).toMatchObject({ status: "canceled", total, done: 1 });
  expect(await replay()).toEqual(response.json);
  const canceled = await api.ask("GET", `/v1/deliveries?webhook=${webhook}&status=canceled&limit=100`);
  const reasons: string[] = canceled.json.data.map(({ reason }: { reason: string }) => reason);
  expect(reasons).toEqual(Array.from({ length: total - 2 }, () => "Its replay was canceled."));
});
