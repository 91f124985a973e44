import { LIMITS } from "../kernel/limits.ts";
import type { LoopParts } from "../kernel/loop.ts";
import type { Random } from "../kernel/random.ts";
import type { Changes, Signals, Topic } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { sendNotice } from "../store/notices.ts";
import { openSession, type Session } from "../store/session.ts";

/** The topics that live pages receive. */
const LIVE_TOPICS = ["delivery", "video", "webhook", "event"] as const satisfies readonly Topic[];
type LiveTopic = (typeof LIVE_TOPICS)[number];
const VIEWERS_CHANNEL = "mave_live_viewers";
const CHANGES_CHANNEL = "mave_live";
/** When a node starts listening, it sends a notification with this suffix to ask which other nodes have viewers. */
const QUERY = "?";

/**
 * Delivers signals from all nodes to live pages, over one LISTEN connection per node. Each node announces when it has
 * viewers, and publishes its changes only while some other node has viewers. Signals can be lost, so viewers also
 * refetch.
 */
export interface Live extends Pick<Signals, "on"> {
  /**
   * Calls `listener` whenever changes on other nodes may have been missed, or periodically if this node cannot listen.
   */
  onMissed(listener: () => void): () => void;
  start(): void;
  stop(): Promise<void>;
}

export interface LiveParts extends LoopParts {
  db: Database;
  random: Random;
  signals: Signals;
}

export function createLive(parts: LiveParts): Live {
  const { db, clock, log, signals } = parts;
  const tag = parts.random.bytes(6).toString("hex");
  const remoteListeners = new Map<Topic, Set<(change: never) => void>>();
  const missedListeners = new Set<() => void>();
  const publisher = createPublisher(parts, tag);
  let viewers = 0;
  let stopped = false;
  let cancel = () => {};

  const notify = (payload: string) =>
    sendNotice(db, VIEWERS_CHANNEL, [payload]).catch((err: unknown) => log.debug({ err }, "Notice not sent"));

  /** Announces periodically that this node has viewers, because an announcement expires on the other nodes. */
  function announce(): void {
    cancel();
    if (viewers === 0 || stopped || db.sharesSessions) return;
    cancel = clock.after(LIMITS.LIVE_ANNOUNCE_MS, announce);
    notify(tag);
  }

  function onNotice(channel: string, payload: string): void {
    if (payload.startsWith(tag)) return; // sent by this node
    if (channel === VIEWERS_CHANNEL && payload.endsWith(QUERY)) return void announce();
    if (channel === VIEWERS_CHANNEL) return void publisher.publish();
    const changes = JSON.parse(payload.slice(tag.length)) as [LiveTopic, Changes[LiveTopic]][];
    for (const [topic, change] of changes)
      for (const listener of remoteListeners.get(topic) ?? [])
        (listener as (change: Changes[LiveTopic]) => void)(change);
  }

  function onMissed(): void {
    for (const listener of missedListeners) listener();
  }

  const connection = createListenConnection(parts, {
    onNotice,
    onListening() {
      notify(tag + QUERY);
      announce();
      onMissed();
    },
    onPoll: onMissed,
  });

  return {
    start: connection.start,
    async stop() {
      stopped = true;
      cancel();
      publisher.end();
      await connection.stop();
    },
    on(topic, listener) {
      const set = remoteListeners.get(topic) ?? new Set();
      remoteListeners.set(topic, set.add(listener as (change: never) => void));
      const off = signals.on(topic, listener);
      if (++viewers === 1) announce();
      return () => {
        off();
        if (set.delete(listener as (change: never) => void)) viewers -= 1;
      };
    },
    onMissed(listener) {
      missedListeners.add(listener);
      return () => missedListeners.delete(listener);
    },
  };
}

interface ConnectionListeners {
  onNotice(channel: string, payload: string): void;
  /** Called whenever the connection starts or resumes listening. */
  onListening(): void;
  /** Called periodically if the node cannot listen. */
  onPoll(): void;
}

/**
 * Creates a LISTEN connection that reconnects after it is lost. Behind a transaction-mode pooler, where LISTEN does not
 * work, it polls instead.
 */
function createListenConnection(
  { db, clock, watchdog }: LiveParts,
  { onNotice, onListening, onPoll }: ConnectionListeners,
) {
  let session: Session | null = null;
  let stopped = false;
  let isScheduled = false; // a connection that breaks during LISTEN calls `reconnect` twice

  function reconnect(): void {
    if (isScheduled || stopped) return;
    isScheduled = true;
    void session?.close(); // the database server may still consider it open
    clock.after(LIMITS.LIVE_RECONNECT_MS, listen);
  }

  function listen(): void {
    isScheduled = false;
    void watchdog.during("live pages", LIMITS.LOOP_ROUND_MS, open()).catch(reconnect);
  }

  async function open(): Promise<void> {
    const made = await openSession(db, clock, { onNotice, onLost: reconnect });
    session = made;
    if (stopped) return made.close();
    for (const channel of [VIEWERS_CHANNEL, CHANGES_CHANNEL]) await made.listen(channel);
    onListening();
  }

  function poll(): void {
    onPoll();
    if (!stopped) clock.after(LIMITS.LIVE_POLL_MS, poll);
  }

  return {
    start: db.sharesSessions ? poll : listen,
    async stop() {
      stopped = true;
      await session?.close();
    },
  };
}

/** Publishes this node's changes in batches while another node has viewers. */
function createPublisher({ db, clock, log, signals }: LiveParts, tag: string) {
  let batch = new Set<string>();
  let size = 0;
  let sending = false;
  let offs: (() => void)[] = [];
  let cancel = () => {};

  const send = () => {
    const payload = `${tag}[${[...batch].join(",")}]`;
    batch = new Set();
    size = 0;
    sending = false;
    sendNotice(db, CHANGES_CHANNEL, [payload]).catch((err: unknown) => log.debug({ err }, "Notice not sent"));
  };
  const add = (topic: LiveTopic, change: Changes[LiveTopic]) => {
    const text = JSON.stringify([topic, change]);
    if (size + text.length > LIMITS.NOTICE_BYTES || batch.has(text)) return;
    batch.add(text);
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
    publish() {
      cancel();
      cancel = clock.after(LIMITS.LIVE_ANNOUNCE_MS * 3, end);
      if (offs.length === 0) offs = LIVE_TOPICS.map((topic) => signals.on(topic, (change) => add(topic, change)));
    },
    end,
  };
}
