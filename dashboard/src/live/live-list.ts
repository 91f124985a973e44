/**
 * A list that stays current without moving under the reader: known rows change in place; new ones enter only while the
 * reader is at the top and touches nothing, else they wait behind a count.
 */
import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client.ts";
import type { List } from "../api/types.ts";
import { type Change, useChange } from "./changes.ts";

const PAGE = 50;
const LOOK_AGAIN_MS = 1_000;
/** Rows outside the first page that are asked for one by one at a time. */
const SINGLES_MAX = 8;

type Row = { id: string };
type Filters = Record<string, string | number | undefined>;

export interface LiveList<T> {
  rows: T[];
  /** New ones that have not entered. */
  held: number;
  show: () => void;
  paused: boolean;
  pause: (paused: boolean) => void;
  older: { exist: boolean; busy: boolean; load: () => void };
  loading: boolean;
  error: Error | null;
  retry: () => void;
  /** Goes on the element around the rows. */
  ref: RefObject<HTMLDivElement | null>;
}

interface Source {
  topic: "delivery" | "event";
  path: string;
  query: Filters;
  limit?: number;
}

export function useLiveList<T extends Row>({ topic, path, query, limit = PAGE }: Source): LiveList<T> {
  const ref = useRef<HTMLDivElement>(null);
  const [paused, pause] = useState(false);
  const pages = usePages<T>({ topic, path, query, limit });
  const { data: fresh } = useQuery({
    queryKey: [topic, "fresh", path, query],
    queryFn: ({ signal }) => api.get<List<T>>(path, { ...query, limit }, signal),
    enabled: pages.isSuccess && !paused,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const loaded = useMemo(() => pages.data?.pages.flatMap((page) => page.data) ?? [], [pages.data]);
  const singles = useSingles<T>(topic, path, loaded, fresh?.data);
  const { rows, entering } = useMemo(() => merge(loaded, fresh?.data ?? [], singles), [loaded, fresh, singles]);
  const { show } = useEntering({ key: pages.key, entering, ref, paused });
  return {
    rows,
    held: entering.length,
    show,
    paused,
    pause,
    older: { exist: pages.hasNextPage, busy: pages.isFetchingNextPage, load: () => void pages.fetchNextPage() },
    loading: pages.isPending,
    error: pages.data === undefined ? pages.error : null,
    retry: () => void pages.refetch(),
    ref,
  };
}

function usePages<T extends Row>({ topic, path, query, limit }: Required<Source>) {
  const key = [topic, "list", path, query] as const;
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => api.get<List<T>>(path, { ...query, limit, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.has_more ? (page.next ?? undefined) : undefined),
  });
  return { ...pages, key };
}

/** Laid over what was loaded: the newest state of each row; what is not among them is entering. */
export function merge<T extends Row>(loaded: T[], fresh: T[], singles: ReadonlyMap<string, T>) {
  const newest = new Map(fresh.map((row) => [row.id, row]));
  const known = new Set(loaded.map((row) => row.id));
  const rows = loaded.map((row) => newest.get(row.id) ?? singles.get(row.id) ?? row);
  const entering = loaded.length === 0 ? fresh : newerThan(loaded[0]?.id, fresh).filter((row) => !known.has(row.id));
  return { rows, entering };
}

/** A first page that no longer holds the top row has moved on by more than a page: all of it is new. */
function newerThan<T extends Row>(top: string | undefined, fresh: T[]): T[] {
  const at = fresh.findIndex((row) => row.id === top);
  return at === -1 ? fresh : fresh.slice(0, at);
}

/** Loaded rows that changed but are not on the first page (older, or they left the filter) are read one by one. */
function useSingles<T extends Row>(topic: "delivery" | "event", path: string, loaded: T[], fresh: T[] | undefined) {
  const [singles, setSingles] = useState<ReadonlyMap<string, T>>(new Map());
  const changed = useRef(new Set<string>());
  useChange(topic, (change: Change) => {
    const id = change[topic];
    if (id !== undefined && loaded.some((row) => row.id === id)) changed.current.add(id);
  });
  useEffect(() => {
    const present = new Set(fresh?.map((row) => row.id));
    const wanted = [...changed.current].filter((id) => !present.has(id)).slice(0, SINGLES_MAX);
    changed.current.clear();
    for (const id of wanted) {
      const put = (row: T) => setSingles((before) => new Map(before).set(id, row));
      // A row that is gone keeps its last state; the next full reading drops it.
      api.get<T>(`${path}/${id}`).then(put, () => {});
    }
  }, [fresh, path]);
  return singles;
}

interface Entering<T> {
  key: readonly unknown[];
  entering: T[];
  ref: RefObject<HTMLElement | null>;
  paused: boolean;
}

function useEntering<T extends Row>({ key, entering, ref, paused }: Entering<T>) {
  const queries = useQueryClient();
  const address = JSON.stringify(key);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key by its text
  const show = useCallback(() => {
    queries.setQueryData<InfiniteData<List<T>>>(key, (data) => prepend(data, entering));
  }, [queries, address, entering]);
  useEffect(() => {
    if (entering.length === 0 || paused) return;
    const enter = () => mayEnter(ref.current) && show();
    enter();
    const timer = setInterval(enter, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [entering, paused, ref, show]);
  return { show };
}

function prepend<T extends Row>(data: InfiniteData<List<T>> | undefined, rows: T[]) {
  const first = data?.pages[0];
  if (data === undefined || first === undefined) return data;
  return { ...data, pages: [{ ...first, data: [...rows, ...first.data] }, ...data.pages.slice(1)] };
}

/** Nothing moves under a pointer, a focus or a selection, nor away from where someone has scrolled. */
function mayEnter(list: HTMLElement | null): boolean {
  const pane = list?.closest("main");
  if (!list || !pane || document.hidden) return false;
  const selection = getSelection();
  const selecting = selection !== null && !selection.isCollapsed && list.contains(selection.anchorNode);
  const top = list.getBoundingClientRect().top >= pane.getBoundingClientRect().top;
  return top && !list.matches(":hover") && !list.contains(document.activeElement) && !selecting;
}
