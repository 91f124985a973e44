import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { startChanges } from "./changes.ts";
import { startRefreshing } from "./refresh.ts";

/** The parts of the browser's EventSource that the change stream uses. */
class Source extends EventTarget {
  static last: Source;
  constructor() {
    super();
    Source.last = this;
  }
  close() {}
}

vi.useFakeTimers();
vi.stubGlobal("EventSource", Source);
vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const QUERIES = ["delivery one a", "delivery one b", "health v", "health w", "video one x"];

/** Returns the queries that the change invalidates. */
function staleAfter(topic: string, change: object): string[] {
  const queries = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  for (const query of QUERIES) queries.setQueryData(query.split(" "), query);
  stops.push(startRefreshing(queries), startChanges());
  Source.last.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(change) }));
  vi.advanceTimersByTime(5_000);
  return QUERIES.filter((query) => queries.getQueryState(query.split(" "))!.isInvalidated);
}

test("a change with an ID invalidates only the queries for that ID", () => {
  expect(staleAfter("delivery", { delivery: "a", webhook: "w" })).toEqual(["delivery one a", "health w"]);
});

test("a change without an ID invalidates all queries of its kind", () => {
  expect(staleAfter("delivery", {})).toEqual(["delivery one a", "delivery one b", "health v", "health w"]);
  expect(staleAfter("video", {})).toEqual(["video one x"]);
});
