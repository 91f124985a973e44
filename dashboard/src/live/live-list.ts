/**
 * A list that stays current without shifting while it is being read. Loaded rows change in place. New rows are inserted
 * only while the list is scrolled to the top and not in use. Otherwise, they are counted and inserted on request.
 */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/client.ts";
import type { List } from "../api/types.ts";
import { type Change, useChange } from "./changes.ts";
import { insertNewRows, newRows, overlay, type Pages } from "./merge.ts";

const PAGE = 50;
const INSERT_INTERVAL_MS = 1_000;
/** At most this many changed rows below the first page are fetched at a time. */
const SINGLES_MAX = 8;

type Row = { id: string };
type Filters = Record<string, string | number | undefined>;

export interface LiveList<T> {
  rows: T[];
  /** The number of new rows that are not shown yet. */
  newCount: number;
  showNew: () => void;
  paused: boolean;
  pause: (paused: boolean) => void;
  /** `failed` is true if the last request for older rows failed. No more are sent until `load` is called. */
  older: { exist: boolean; busy: boolean; failed: boolean; load: () => void };
  loading: boolean;
  error: Error | null;
  retry: () => void;
  /** A ref to the element that contains the rows. */
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
  useFillPage(pages, loaded.length, limit);
  const singles = useChangedRows<T>(topic, path, loaded, fresh?.data);
  const rows = useMemo(() => overlay(loaded, fresh?.data ?? [], singles), [loaded, fresh, singles]);
  const newCount = useMemo(() => (fresh ? newRows(loaded, fresh.data).length : 0), [loaded, fresh]);
  const showNew = useInsertion({ key: pages.key, fresh, newCount, isEmpty: loaded.length === 0, ref, paused });
  return {
    rows,
    newCount,
    showNew,
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
 * Loads further pages until another full page of rows has loaded or no pages are left. If a filter matches few rows, a
 * page can be short or even empty although there is a next one.
 */
function useFillPage<T extends Row>(pages: ReturnType<typeof usePages<T>>, shown: number, limit: number) {
  const last = pages.data?.pages.at(-1)?.data.length ?? 0;
  const { hasNextPage, isFetching, isError, fetchNextPage } = pages;
  const fullPages = (rows: number) => Math.floor(rows / limit);
  const isShort = hasNextPage && !isFetching && !isError && fullPages(shown) === fullPages(shown - last);
  useEffect(() => {
    if (isShort) void fetchNextPage();
  }, [isShort, fetchNextPage]);
}

/** Fetches changed rows individually if they are not on the first page. */
function useChangedRows<T extends Row>(topic: "delivery" | "event", path: string, loaded: T[], fresh: T[] | undefined) {
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
      // A deleted row keeps its last state until the list is refetched.
      api.get<T>(`${path}/${id}`).then(put, () => {});
    }
  }, [fresh, path]);
  return singles;
}

interface Insertion<T> {
  key: readonly unknown[];
  fresh: List<T> | undefined;
  newCount: number;
  isEmpty: boolean;
  ref: RefObject<HTMLElement | null>;
  paused: boolean;
}

/** Inserts new rows once doing so does not disturb the reader. @returns a function that inserts them immediately */
function useInsertion<T extends Row>({ key, fresh, newCount, isEmpty, ref, paused }: Insertion<T>): () => void {
  const queries = useQueryClient();
  const keyText = JSON.stringify(key);
  // biome-ignore lint/correctness/useExhaustiveDependencies: keyText stands for the key, a new array on every render
  const insert = useCallback(() => {
    queries.setQueryData<Pages<T>>(key, (pages) => (pages && fresh ? insertNewRows(pages, fresh) : pages));
  }, [queries, keyText, fresh]);
  useEffect(() => {
    if (newCount === 0 || paused) return;
    const tryInsert = () => (isEmpty || isUndisturbed(ref.current)) && insert();
    tryInsert();
    const timer = setInterval(tryInsert, INSERT_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [newCount, isEmpty, paused, ref, insert]);
  return insert;
}

/** Checks that the list is scrolled to the top and does not contain the pointer, the focus, or a text selection. */
function isUndisturbed(list: HTMLElement | null): boolean {
  const pane = list?.closest("main");
  if (!list || !pane || document.hidden) return false;
  const selection = getSelection();
  const hasSelection = selection !== null && !selection.isCollapsed && list.contains(selection.anchorNode);
  const isAtTop = list.getBoundingClientRect().top >= pane.getBoundingClientRect().top;
  return isAtTop && !list.matches(":hover") && !list.contains(document.activeElement) && !hasSelection;
}
