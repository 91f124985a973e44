import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Changes, Signals, Topic } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { sendNotice } from "../store/notices.ts";
import { openSession, type Session } from "../store/session.ts";

/** What pages are told of. */
const SHOWN = ["delivery", "video", "webhook", "event"] as const satisfies readonly Topic[];
type Shown = (typeof SHOWN)[number];
const WANTED = "mave_live_wanted";
const CHANGED = "mave_live";
/** What a node that has just begun to listen asks for: who has viewers? */
const WHO = "?";

/**
 * Signals of all nodes, for those who look: one LISTEN connection a node, however many viewers it has. A node says that
 * it has viewers; only while some node does, the others gather what changes on them and tell it. Hints, like all
 * signals: what is lost, or too much for a notice, is made up for by whoever reads again.
 */
export interface Live extends Pick<Signals, "on"> {
  /** Told when changes on other nodes may have gone by unheard: again and again where this node cannot listen. */
  onMissed(listener: () => void): () => void;
  start(): void;
  stop(): Promise<void>;
}

export interface LiveParts {
  db: Database;
  clock: Clock;
  log: Log;
  random: Random;
  signals: Signals;
}

export function createLive(parts: LiveParts): Live {
  const { db, clock, log, signals } = parts;
  const tag = parts.random.bytes(6).toString("hex");
  const elsewhere = new Map<Topic, Set<(change: never) => void>>();
  const missed = new Set<() => void>();
  const gatherer = createGatherer(parts, tag);
  let viewers = 0;
  let stopped = false;
  let cancel = () => {};

  const say = (payload: string) =>
    sendNotice(db, WANTED, [payload]).catch((err: unknown) => log.debug({ err }, "a notice was not sent"));

  /** Says that this node has viewers, again and again: others forget it. */
  function want(): void {
    cancel();
    if (viewers === 0 || stopped || db.sharesSessions) return;
    cancel = clock.after(LIMITS.LIVE_ANNOUNCE_MS, want);
    say(tag);
  }

  function onNotice(channel: string, payload: string): void {
    if (payload.startsWith(tag)) return; // this node's own
    if (channel === WANTED && payload.endsWith(WHO)) return void want();
    if (channel === WANTED) return void gatherer.gather();
    const changes = JSON.parse(payload.slice(tag.length)) as [Shown, Changes[Shown]][];
    for (const [topic, change] of changes)
      for (const listener of elsewhere.get(topic) ?? []) (listener as (change: Changes[Shown]) => void)(change);
  }

  function tellMissed(): void {
    for (const listener of missed) listener();
  }

  const ear = createEar(parts, {
    onNotice,
    onListening() {
      say(tag + WHO);
      want();
      tellMissed();
    },
    onLook: tellMissed,
  });

  return {
    start: ear.start,
    async stop() {
      stopped = true;
      cancel();
      gatherer.end();
      await ear.stop();
    },
    on(topic, listener) {
      const set = elsewhere.get(topic) ?? new Set();
      elsewhere.set(topic, set.add(listener as (change: never) => void));
      const off = signals.on(topic, listener);
      if (++viewers === 1) want();
      return () => {
        off();
        if (set.delete(listener as (change: never) => void)) viewers -= 1;
      };
    },
    onMissed(listener) {
      missed.add(listener);
      return () => missed.delete(listener);
    },
  };
}

interface EarListeners {
  onNotice(channel: string, payload: string): void;
  /** It hears from now on, for the first time or again. */
  onListening(): void;
  /** It hears nothing: time to look. */
  onLook(): void;
}

/** A connection that listens, opened again where it breaks. Behind a pooler that shares sessions none could. */
function createEar({ db, clock }: LiveParts, { onNotice, onListening, onLook }: EarListeners) {
  let session: Session | null = null;
  let stopped = false;
  let waiting = false; // a connection that breaks while it begins to listen says so twice

  function listenSoon(): void {
    if (waiting || stopped) return;
    waiting = true;
    void session?.close(); // lost, but perhaps for us only
    clock.after(LIMITS.LIVE_RECONNECT_MS, listen);
  }

  function listen(): void {
    waiting = false;
    openSession(db, clock, { onNotice, onLost: listenSoon })
      .then(async (made) => {
        session = made;
        if (stopped) return made.close();
        for (const channel of [WANTED, CHANGED]) await made.listen(channel);
        onListening();
      })
      .catch(listenSoon);
  }

  function look(): void {
    onLook();
    if (!stopped) clock.after(LIMITS.LIVE_POLL_MS, look);
  }

  return {
    start: db.sharesSessions ? look : listen,
    async stop() {
      stopped = true;
      await session?.close();
    },
  };
}

/** Gathers this node's changes while another node wants them, and tells them a few times a second. */
function createGatherer({ db, clock, log, signals }: LiveParts, tag: string) {
  let gathered = new Set<string>();
  let size = 0;
  let sending = false;
  let offs: (() => void)[] = [];
  let cancel = () => {};

  const send = () => {
    const payload = `${tag}[${[...gathered].join(",")}]`;
    gathered = new Set();
    size = 0;
    sending = false;
    sendNotice(db, CHANGED, [payload]).catch((err: unknown) => log.debug({ err }, "a notice was not sent"));
  };
  const add = (topic: Shown, change: Changes[Shown]) => {
    const text = JSON.stringify([topic, change]);
    if (size + text.length > LIMITS.NOTICE_BYTES || gathered.has(text)) return;
    gathered.add(text);
    size += text.length + 1;
    if (!sending) clock.after(LIMITS.CHANGES_BATCH_MS, send);
    sending = true;
  };
  const end = () => {
    cancel();
    for (const off of offs) off();
    offs = [];
  };
  return {
    gather() {
      cancel();
      cancel = clock.after(LIMITS.LIVE_ANNOUNCE_MS * 3, end);
      if (offs.length === 0) offs = SHOWN.map((topic) => signals.on(topic, (change) => add(topic, change)));
    },
    end,
  };
}
