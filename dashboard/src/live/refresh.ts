/** Invalidates queries when data changes: lists at most once a second, and health at most once every 5 s. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { type Change, onChange } from "./changes.ts";

const SOON_MS = 1_000;
const LATER_MS = 5_000;

/** Keeps the query cache current by listening to the change stream. @returns a function that stops it */
export function startRefreshing(queries: QueryClient): () => void {
  const soon = batch(queries, SOON_MS);
  const later = batch(queries, LATER_MS);
  const delivered = (change: Change) => {
    soon.add(["delivery", "one", ...idOf(change.delivery)]);
    soon.add(["delivery", "fresh"]);
    later.add(["health", ...idOf(change.webhook)]);
    // A successful delivery can also end a webhook's failing state.
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
      // The server updates health a few seconds after an attempt, so health may not yet reflect an attempt made before
      // this connection opened.
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

/** A change without an ID may affect any row, so it invalidates all queries of its kind. */
const idOf = (id: string | undefined): string[] => (id === undefined ? [] : [id]);

function batch(queries: QueryClient, wait_ms: number) {
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
