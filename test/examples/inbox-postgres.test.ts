import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { MaveEvent } from "@mave/webhooks";
import { createInbox, type Gap } from "@mave/webhooks/order";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createLibraryInbox, postgresStore, TABLES } from "../../examples/inbox-postgres.ts";
import { testConnection } from "../support/database.ts";

const event = (type: string, sequence: number, more = {}) =>
  ({
    id: `e${sequence}`,
    object: "event",
    type,
    created: 1_643_723_823,
    data: { id: "k1iFD7h4rW", object: "video", name: "A", status: "ready", ...more },
  }) as unknown as MaveEvent;

describe("an inbox in PostgreSQL", () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool(await testConnection());
    afterAll(() => pool.end());
    await pool.query(`${TABLES} create table library (id text primary key, name text, status text)`);
  });
  beforeEach(() => pool.query("truncate mave_positions, mave_events, library"));
  const library = async () => (await pool.query("select id, name, status from library")).rows;

  test("handles an event once, even if several processes receive it at the same time", async () => {
    const handle = vi.fn(() => new Promise((resolve) => setImmediate(resolve)));
    const events = async function* () {};
    const processes = [1, 2, 3].map(() => createInbox({ store: postgresStore(pool), events, handle }));
    const created = event("video.created", 1);
    const outcomes = await Promise.all(processes.map((inbox) => inbox(created, { sequence: 1, previous: 0 })));
    expect(outcomes.sort()).toEqual(["duplicate", "duplicate", "handled"]);
    expect(handle).toHaveBeenCalledOnce();
  });

  test("rolls back an event's effects and forgets that it was handled if the handler fails", async () => {
    const handle = vi.fn(async (_event: MaveEvent, { tx }: { tx: pg.PoolClient }) => {
      await tx.query("insert into library (id) values ('k1iFD7h4rW')");
      if (handle.mock.calls.length === 1) throw new Error("not now");
    });
    const inbox = createInbox({ store: postgresStore(pool), events: async function* () {}, handle });
    const created = event("video.created", 1);
    await expect(inbox(created, { sequence: 1, previous: 0 })).rejects.toThrow("not now");
    expect(await library()).toEqual([]);
    expect(await inbox(created, { sequence: 1, previous: 0 })).toBe("handled");
    expect(await library()).toHaveLength(1);
  });

  test("fetches missing events from the API, and never overwrites a newer state with an older one", async () => {
    const missed = { ...event("video.uploaded", 2, { name: "B" }), sequence: 2 };
    const api = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [missed], has_more: false, next: null }));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => api.once("listening", resolve));
    const gaps: Gap[] = [];
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const inbox = createLibraryInbox(pool, { url, apiKey: "mave_key" }, (gap) => gaps.push(gap));

    await inbox(event("video.created", 1), { sequence: 1, previous: 0 });
    await inbox(event("video.processing", 3, { name: "C" }), { sequence: 3, previous: 2 });
    expect(gaps).toEqual([{ video: "k1iFD7h4rW", after: 1, until: 2, refilled: ["e2"], missing: [] }]);
    expect(await library()).toEqual([{ id: "k1iFD7h4rW", name: "C", status: "ready" }]);

    expect(await inbox(event("video.uploaded", 2), { sequence: 2, previous: 1 })).toBe("duplicate");
    await inbox(event("video.deleted", 4), { sequence: 4, previous: 3 });
    expect(await library()).toEqual([]);
    api.close();
  });
});
