import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { startChanges } from "./changes.ts";
import { startRefreshing } from "./refresh.ts";

/** The browser's, as far as the stream of changes uses it. */
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

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const ONES = ["delivery one a", "delivery one b", "health v", "health w", "video one x"];

/** What is asked for again after this change, of all that is on the page. */
function staleAfter(topic: string, change: object): string[] {
  const queries = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } });
  for (const one of ONES) queries.setQueryData(one.split(" "), one);
  ends.push(startRefreshing(queries), startChanges());
  Source.last.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(change) }));
  vi.advanceTimersByTime(5_000);
  return ONES.filter((one) => queries.getQueryState(one.split(" "))!.isInvalidated);
}

test("a change lets what it names be read again", () => {
  expect(staleAfter("delivery", { delivery: "a", webhook: "w" })).toEqual(["delivery one a", "health w"]);
});

test("a change that names nothing lets everything of its kind be read again", () => {
  expect(staleAfter("delivery", {})).toEqual(["delivery one a", "delivery one b", "health v", "health w"]);
  expect(staleAfter("video", {})).toEqual(["video one x"]);
});
