/**
 * A list that stays current without moving under the reader: known rows change in place; new ones enter only while the
 * reader is at the top and touches nothing, else they wait behind a count.
 */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client.ts";
import type { List } from "../api/types.ts";
import { type Change, useChange } from "./changes.ts";
import { enter, entering, overlay, type Pages } from "./merge.ts";

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
  /** `failed`: the last try to read them; nothing is read by itself until somebody asks for it. */
  older: { exist: boolean; busy: boolean; failed: boolean; load: () => void };
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
  useFilling(pages, loaded.length, limit);
  const singles = useSingles<T>(topic, path, loaded, fresh?.data);
  const rows = useMemo(() => overlay(loaded, fresh?.data ?? [], singles), [loaded, fresh, singles]);
  const held = useMemo(() => (fresh ? entering(loaded, fresh.data).length : 0), [loaded, fresh]);
  const show = useEntering({ key: pages.key, fresh, held, empty: loaded.length === 0, ref, paused });
  return {
    rows,
    held,
    show,
    paused,
    pause,
    older: {
      exist: pages.hasNextPage,
      busy: pages.isFetchingNextPage,
      failed: pages.isFetchNextPageError,
      load: () => void pages.fetchNextPage(),
    },
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

/**
 * A page by filters that match next to nothing may be short, even empty, and yet have a next one: that is read by itself
 * until the rows have come to a full page more, or to their end.
 */
function useFilling<T extends Row>(pages: ReturnType<typeof usePages<T>>, shown: number, limit: number) {
  const last = pages.data?.pages.at(-1)?.data.length ?? 0;
  const { hasNextPage, isFetching, isError, fetchNextPage } = pages;
  const full = (rows: number) => Math.floor(rows / limit);
  const short = hasNextPage && !isFetching && !isError && full(shown) === full(shown - last);
  useEffect(() => {
    if (short) void fetchNextPage();
  }, [short, fetchNextPage]);
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
  fresh: List<T> | undefined;
  held: number;
  /** No row is shown that could move. */
  empty: boolean;
  ref: RefObject<HTMLElement | null>;
  paused: boolean;
}

/** Lets new rows in as soon as nothing would move under the reader. @returns what lets them in now */
function useEntering<T extends Row>({ key, fresh, held, empty, ref, paused }: Entering<T>): () => void {
  const queries = useQueryClient();
  const address = JSON.stringify(key);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key by its text
  const show = useCallback(() => {
    queries.setQueryData<Pages<T>>(key, (pages) => (pages && fresh ? enter(pages, fresh) : pages));
  }, [queries, address, fresh]);
  useEffect(() => {
    if (held === 0 || paused) return;
    const look = () => (empty || mayEnter(ref.current)) && show();
    look();
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [held, empty, paused, ref, show]);
  return show;
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
