/**
 * One stream of changes for the whole dashboard. A change is a hint: whoever hears it reads again. The stream is closed
 * while the page is hidden, and everything is read again when it comes back.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";
import { nowSeconds } from "../clock.ts";

/** Empty where the server could not hear what changed. */
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
/** A server that does not begin to answer within this, or misses two of its beats (15 s), counts as gone. */
const OPEN_MS = 5_000;
const SILENT_MS = 40_000;

const listeners = new Map<Topic | "all", Set<(change: Change) => void>>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let silence: ReturnType<typeof setTimeout> | undefined;
/** Whether changes may have gone by unheard: before the first connection, while hidden, while cut off. */
let missed = true;
let current: LiveState = { state: "reconnecting", asOf: nowSeconds() };

function become(state: LiveState["state"], asOf: number) {
  if (state === current.state) return;
  current = { state, asOf };
  for (const watcher of watchers) watcher();
}

function tell(topic: Topic | "all", change: Change) {
  for (const listener of listeners.get(topic) ?? []) listener(change);
}

function open() {
  clearTimeout(retry);
  if (source !== undefined || document.hidden) return;
  source = new EventSource("/v1/changes");
  hearWithin(OPEN_MS);
  source.onopen = () => {
    hearWithin(SILENT_MS);
    become("live", nowSeconds());
    if (missed) tell("all", {});
    missed = false;
  };
  source.onerror = () => lost(nowSeconds());
  source.addEventListener("beat", () => hearWithin(SILENT_MS));
  for (const topic of TOPICS) {
    source.addEventListener(topic, (message) => tell(topic, JSON.parse(message.data) as Change));
  }
}

/** A connection may die, or never come about, without an error. What the page shows is then as old as the silence. */
function hearWithin(ms: number) {
  const heard = nowSeconds();
  clearTimeout(silence);
  silence = setTimeout(() => lost(heard), ms);
}

function lost(asOf: number) {
  close();
  become("reconnecting", asOf);
  retry = setTimeout(open, RECONNECT_MS);
}

function close() {
  clearTimeout(retry);
  clearTimeout(silence);
  source?.close();
  source = undefined;
  missed = true;
}

/** Starts the stream for as long as someone is signed in. Returns a function that ends it. */
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

/** Calls back on each change of a topic; on "all" whenever changes may have been missed. */
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

function watch(listener: () => void): () => void {
  watchers.add(listener);
  return () => watchers.delete(listener);
}

export const useLiveState = (): LiveState => useSyncExternalStore(watch, () => current);
