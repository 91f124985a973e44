/** Turns changes into re-reads: what is on the page is asked for again at most once a second, health at most every five. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { type Change, onChange } from "./changes.ts";

const SOON_MS = 1_000;
const LATER_MS = 5_000;

/** Keeps the query cache as fresh as the stream of changes. Returns a function that ends it. */
export function startRefreshing(queries: QueryClient): () => void {
  const soon = collect(queries, SOON_MS);
  const later = collect(queries, LATER_MS);
  const delivered = (change: Change) => {
    soon.add(["delivery", "one", ...idOf(change.delivery)]);
    soon.add(["delivery", "fresh"]);
    later.add(["health", ...idOf(change.webhook)]);
    // Whether it is failing: a first success says nothing else.
    later.add(["webhook"]);
    later.add(["overview"]);
    later.add(["replay"]);
  };
  const stops = [
    onChange("delivery", delivered),
    onChange("event", () => soon.add(["event", "fresh"])),
    onChange("webhook", () => soon.add(["webhook"])),
    onChange("webhook", (change) => soon.add(["health", ...idOf(change.webhook)])),
    onChange("video", () => soon.add(["video"])),
    onChange("video", () => later.add(["overview"])),
    onChange("all", () => {
      void queries.invalidateQueries();
      // The server writes health down some seconds after the attempts, which may have been before this connection.
      later.add(["webhook"]);
      later.add(["health"]);
    }),
    soon.stop,
    later.stop,
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A change that names nothing may be of any: the server could not hear what it was. */
const idOf = (id: string | undefined): string[] => (id === undefined ? [] : [id]);

function collect(queries: QueryClient, wait_ms: number) {
  const keys = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const queryKey of keys.values()) void queries.invalidateQueries({ queryKey });
    keys.clear();
  };
  return {
    add(key: QueryKey) {
      keys.set(key.join(), key);
      timer ??= setTimeout(flush, wait_ms);
    },
    stop: () => clearTimeout(timer),
  };
}
