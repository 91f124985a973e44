/**
 * Receives changes over a single event stream for the whole dashboard. A change contains only IDs and serves
 * as a hint to refetch data. The stream is closed while the page is hidden, and all data is refetched when the page is
 * shown again.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { nowSeconds } from "../clock.ts";

/** The IDs of the objects that changed, or an empty object if the server does not know them. */
export interface Change {
  delivery?: string;
  event?: string;
  webhook?: string;
  video?: string | null;
  type?: string;
}
export type Topic = "delivery" | "video" | "webhook" | "event";
export type LiveState = { state: "live" | "reconnecting"; asOf: number };

const TOPICS: Topic[] = ["delivery", "video", "webhook", "event"];
const RECONNECT_MS = 3_000;
/** A connection that does not open within this time is considered lost. */
const OPEN_MS = 5_000;
/** A connection is considered lost after this time without a heartbeat. The server sends one every 15 s. */
const SILENT_MS = 40_000;

const listeners = new Map<Topic | "all", Set<(change: Change) => void>>();
const stateListeners = new Set<() => void>();
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let timeout: ReturnType<typeof setTimeout> | undefined;
/** True at first, and after the page was hidden or the connection was lost, because changes may have been missed. */
let missed = true;
let current: LiveState = { state: "reconnecting", asOf: nowSeconds() };

function setState(state: LiveState["state"], asOf: number) {
  if (state === current.state) return;
  current = { state, asOf };
  for (const listener of stateListeners) listener();
}

function emit(topic: Topic | "all", change: Change) {
  for (const listener of listeners.get(topic) ?? []) listener(change);
}

function open() {
  clearTimeout(retry);
  if (source !== undefined || document.hidden) return;
  source = new EventSource("/v1/changes");
  expectWithin(OPEN_MS);
  source.onopen = () => {
    expectWithin(SILENT_MS);
    setState("live", nowSeconds());
    if (missed) emit("all", {});
    missed = false;
  };
  source.onerror = () => lost(nowSeconds());
  source.addEventListener("beat", () => expectWithin(SILENT_MS));
  for (const topic of TOPICS) {
    source.addEventListener(topic, (message) => emit(topic, JSON.parse(message.data) as Change));
  }
}

/**
 * Considers the connection lost if nothing arrives within `ms`, because a connection can die without an error event.
 * The data shown is then as old as the last heartbeat.
 */
function expectWithin(ms: number) {
  const lastSeen = nowSeconds();
  clearTimeout(timeout);
  timeout = setTimeout(() => lost(lastSeen), ms);
}

function lost(asOf: number) {
  close();
  setState("reconnecting", asOf);
  retry = setTimeout(open, RECONNECT_MS);
}

function close() {
  clearTimeout(retry);
  clearTimeout(timeout);
  source?.close();
  source = undefined;
  missed = true;
}

/** Opens the stream. @returns a function that closes it */
export function startChanges(): () => void {
  const onVisibility = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", onVisibility);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    close();
    current = { state: "reconnecting", asOf: nowSeconds() };
  };
}

/** Calls the listener on each change in a topic or, for "all", whenever changes may have been missed. */
export function onChange(topic: Topic | "all", listener: (change: Change) => void): () => void {
  const set = listeners.get(topic) ?? new Set();
  listeners.set(topic, set.add(listener));
  return () => set.delete(listener);
}

export function useChange(topic: Topic | "all", listener: (change: Change) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => onChange(topic, (change) => latest.current(change)), [topic]);
}

function subscribe(listener: () => void): () => void {
  stateListeners.add(listener);
  return () => stateListeners.delete(listener);
}

export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => current);
