/**
 * Every bound of the service, with its unit last and its reason beside it. `assertLimits` holds how they fit together;
 * it runs at each start, so that a change of one that breaks another is found before it serves.
 */
export const LIMITS = {
  // One attempt (DESIGN of the wire: 5 s to connect, 15 s in all).
  ATTEMPT_CONNECT_MS: 5_000, // DNS, TCP and TLS together
  ATTEMPT_TOTAL_MS: 15_000, // body included; the default of MAVE_ATTEMPT_TIMEOUT_MS
  RESPONSE_READ_BYTES: 65_536, // read on past what is kept, so that a chatty receiver keeps its connection
  RESPONSE_KEPT_BYTES: 16_384, // what the log shows of a response's body
  RESPONSE_HEADERS_BYTES: 16_384, // the parser's cap; beyond it the response is invalid
  RESPONSE_RAW_BYTES: 1_048_576, // everything a receiver sends, framing included; looked at every RESPONSE_FLOOD_CHECK_MS
  RESPONSE_FLOOD_CHECK_MS: 1_000, // a reason phrase or chunk extension has no cap in the parser and could fill 15 s of CPU
  INTERIM_ANSWERS_MAX: 8, // 1xx answers before one is taken for a flood
  DNS_TRY_MS: 1_500, // two tries take at most 4.5 s: inside the time to connect
  DNS_NAMES_MAX: 20_000, // names cached, oldest dropped
  DNS_KEPT_MIN_MS: 5_000, // a time to live of 0 would ask at every connection
  DNS_KEPT_MAX_MS: 300_000, // a receiver that moves is found again within five minutes
  DNS_FAILURE_KEPT_MS: 10_000,
  DNS_STALE_MS: 300_000, // how much longer the last good response stands in while no DNS server answers
  ADDRESSES_TRY_MS: 1_500, // for each of a name's addresses: three fit into the time to connect
  URLS_CHECKED_MAX: 10_000, // verdicts and origins kept; all are dropped when full
  ORIGIN_SOCKETS_MAX: 16, // a pool slows with its size
  SOCKETS_OPEN_MAX: 2_000, // idle ones included; beyond it connections are not kept
  SOCKET_IDLE_MS: 30_000, // a cold TLS connection costs 20 times a warm delivery

  // The dispatcher.
  SENDS_IN_FLIGHT_MAX: 256, // quick sends of this node at once
  SENDS_SLOW_MAX: 1_024, // sends older than SEND_SLOW_AFTER_MS count here instead
  SEND_SLOW_AFTER_MS: 1_000,
  SEND_SLOW_LOOK_MS: 100, // how often it is looked for sends that have become slow
  WEBHOOK_IN_FLIGHT_START: 2, // slow start, raised by each success
  WEBHOOK_IN_FLIGHT_MAX: 10,
  WEBHOOK_REFUSED_MAX: 10, // answers other than 2xx in a row, then it starts slowly again: it is away, not one event's fault
  WEBHOOK_QUEUED_MAX: 40, // handed over and waiting in memory; beyond it rows wait in the database
  LEASE_MS: 30_000, // an attempt's whole time and as much again
  JOBS_QUEUED_MAX: 20_000, // handed over in all; beyond it everything waits in the database
  TARGETS_MAX: 20_000, // webhooks remembered with their secrets
  SESSION_PROBE_MS: 5_000, // how often a connection of its own is asked whether it lives
  NODE_REOPEN_MS: 250, // between two tries to have it back: well below the time after which others take it for dead
  TRANSACTION_IDLE_MS: 30_000, // then what a frozen process had locked is free again, as its leases are
  SWEEP_MS: 1_000, // how often it is looked for what a lost process left behind
  SWEEP_ROWS_MAX: 1_000, // waiting deliveries looked at in one statement of a sweep
  SWEEP_SLICES_MAX: 20, // statements in one sweep; the next one goes on from there
  POLL_CHANGES_MS: 5_000, // the same for changes of webhooks made on other nodes
  POLL_MS: 1_000, // the certainty behind every wake-up
  NOTICE_EVERY_MS: 20, // notices to other nodes are gathered: each takes a lock at commit
  SETTLE_BATCH_MAX: 64,
  SETTLE_LINGER_MS: 2, // 10 ms gained nothing
  SETTLE_PENDING_MAX: 2_048, // answers not yet written; beyond it nothing is sent
  SETTLE_AGAIN_MS: 250, // between two tries while the database is away
  CLAIM_BATCH_MAX: 256,
  STEP_BEYOND: 32_000, // a step beyond any schedule: for what is attempted once, a test or a send by hand
  SEND_AGAIN_ONCE_MS: 1_000, // clicks on "send again" within this time are one
  SHARED_COMMIT_EVENTS_MAX: 128,
  FOLLOW_ROUNDS_MAX: 5, // tries to find out what a new delivery waits for while that is being settled

  // Requests to the API.
  BODY_BYTES: 262_144, // JSON bodies; files have their own way
  BODY_DEPTH_MAX: 32,
  FIELD_ERRORS_MAX: 100, // bad fields named in one response: more than any form has
  BODY_MS: 15_000, // a body that drips longer is cut off
  REFUSED_BODY_MS: 2_000, // how long the rest of a refused body is read and dropped, so that the response arrives
  REQUEST_HEADERS_MS: 15_000, // the same for the lines before it
  KEEP_ALIVE_MS: 72_000, // above the idle time of common proxies, so that they close first
  REQUEST_HEADERS_BYTES: 16_384, // Node's own default, named
  EVENT_LOOP_DELAY_MS: 5_000, // a server this far behind refuses what is new instead of piling it up
  REQUESTS_PER_KEY_MAX: 60_000, // a minute, per API key or person: stops a runaway loop, no honest program
  REQUESTS_PER_ADDRESS_MAX: 6_000, // a minute, for those who show no key: embeds have a route of their own
  KEYS_WRONG_PER_ADDRESS_MAX: 60, // a minute: then guesses are refused; right keys from there go on working
  SIGN_INS_WRONG_PER_ADDRESS_MAX: 20, // per quarter of an hour: each costs a slow hash
  SIGN_INS_WRONG_PER_EMAIL_MAX: 10, // the same, whatever the address
  SIGN_IN_WINDOW_MS: 900_000,
  API_KEY_CACHED_MS: 5_000, // how long another node may still honour a key that was deleted here
  API_KEYS_CACHED_MAX: 10_000,
  API_KEY_USED_FLUSH_MS: 10_000, // last_used is written at most this often, all keys in one statement
  PASSWORD_CHARACTERS_MIN: 10,
  PASSWORD_CHARACTERS_MAX: 128, // the slow hash reads all of it
  SESSION_VALID_S: 2_592_000, // 30 days after the last visit
  SESSION_CACHED_S: 60, // how long a signed-out session's copied cookie may still read
  LINK_VALID_MS: 3_600_000, // first-run and sign-in links
  INVITATION_VALID_MS: 604_800_000,
  URL_CHARACTERS_MAX: 2_048,
  NAME_CHARACTERS_MAX: 200,
  DESCRIPTION_CHARACTERS_MAX: 200,
  METADATA_KEYS_MAX: 50,
  METADATA_KEY_CHARACTERS_MAX: 40,
  METADATA_VALUE_CHARACTERS_MAX: 500,
  LIST_DEFAULT: 20,
  LIST_MAX: 100,
  LIST_WALKED_SOON: 2_000, // finished deliveries looked at first for a page by several filters: mostly enough, a millisecond
  LIST_WALKED_MAX: 20_000, // looked at after these, before the page is given as it is: some 20 ms, where all took seconds
  WEBHOOKS_PER_SPACE_MAX: 1_000, // each event is matched against all of its space
  API_KEYS_PER_SPACE_MAX: 100,
  WEBHOOK_HEADERS_MAX: 20,
  WEBHOOK_FAILING_MS: 432_000_000, // five days of only failures, then it is disabled
  WEBHOOK_WARNED_MS: 216_000_000, // half of it: time to act on a weekend's failure
  WEBHOOK_FAILING_LOOK_MS: 60_000, // how often it is looked for webhooks that only fail
  BACKLOG_COUNTED_MAX: 100_000, // open deliveries counted for a page; more are shown as this many
  HEALTH_FLUSH_MS: 2_000, // how old a webhook's health may be; lost with a killed process, as it only counts
  SECRET_OVERLAP_MAX_S: 604_800, // a week to bring the new secret to every receiver
  IDEMPOTENCY_KEPT_S: 86_400,
  READY_MS: 2_000, // a database slower than this is not ready
  STREAMS_PER_NODE_MAX: 1_000, // open server-sent-event connections
  STREAMS_PER_SPACE_MAX: 200, // one space cannot take them all
  OVERVIEW_KEPT_MS: 1_000, // every open page asks for it
  OVERVIEWS_KEPT_MAX: 1_000,
  STREAM_BUFFERED_BYTES: 1_048_576, // waiting in memory for a slow viewer; beyond it the viewer is dropped and resumes
  STREAM_HEARTBEAT_MS: 15_000, // below the idle time of common proxies
  STREAM_POLL_MS: 1_000, // what a lost signal costs a viewer at most
  LIVE_WANTED_MS: 10_000, // how often a node with viewers says so; three times as long it is believed
  LIVE_POLL_MS: 5_000, // how often pages look again where this node hears nothing of the others
  LIVE_REOPEN_MS: 1_000, // between two tries to listen again; meanwhile pages hear of this node only
  NOTICE_BYTES: 7_800, // PostgreSQL takes payloads below 8,000
  CHANGES_GATHERED_MS: 200, // the dashboard's hints: one write per space and time, whatever the load
  CHANGES_GATHERED_MAX: 200, // more than a page shows are left out: lists are read again anyway
  STREAM_PAGE: 100, // events read at once for a viewer who resumes

  // Files and processing.
  UPLOAD_BYTES_MAX: 20_000_000_000, // the default of MAVE_UPLOAD_MAX_BYTES
  UPLOADS_OPEN_PER_SPACE_MAX: 200,
  UPLOAD_EXPIRES_MS: 86_400_000, // an abandoned part is removed a day after its last byte
  UPLOAD_TOKEN_MS: 86_400_000, // long enough to come back to a broken-off upload the next morning
  PROCESSING_AT_ONCE_MAX: 1, // ffmpeg takes every core it is given
  PROCESSING_ATTEMPTS_MAX: 3, // for faults of the machine; bad media ends at once
  PROCESSING_LEASE_MS: 60_000,
  PROCESSING_HEARTBEAT_MS: 15_000,
  PROBE_MS: 20_000,
  VIDEO_DURATION_MAX_S: 21_600,
  VIDEO_STREAMS_MAX: 40,
  VIDEO_SIDE_MAX: 8_192,
  VIDEO_PIXELS_MAX: 35_389_440, // 8192 x 4320
  PROBE_MEMORY_BYTES: 2_000_000_000, // virtual: a probe of any honest file needs a tenth
  PROBE_OUTPUT_BYTES: 1_000_000, // what is kept of ffprobe's response
  FFMPEG_MEMORY_BYTES: 6_000_000_000, // virtual; 580 MB resident were the most seen
  FFMPEG_FILE_BYTES: 50_000_000_000,
  FFMPEG_WALL_MIN_MS: 300_000, // or 60 times the video's own length
  FFMPEG_SILENT_MS: 120_000, // it reports twice a second; this long without a word is a standstill
  FFMPEG_CPU_MIN_S: 600, // or 120 times the video's own length
  REMUX_MEMORY_MB: 512, // of the thread that repacks a file where there is no ffmpeg
  REMUX_MS: 1_800_000, // it only copies: six hours of video take minutes
  PROCESSING_PROGRESS_MS: 2_000, // how often progress is written, at most
  PROCESSING_RETRY_MS: 5_000, // times the square of the attempts: most faults of the machine pass, some take a while
  PROCESSING_POLL_MS: 5_000, // in-process signals are quicker; this is for other nodes' uploads and lost leases
  UPLOADS_RECONCILED_MS: 30_000,
  UPLOAD_SILENT_MS: 60_000, // a sender that says nothing for so long has gone; tus resumes where it stopped
  VERSION_KEPT_MS: 3_600_000, // a version that was replaced stays for whoever is watching it

  REPLAY_WINDOW: 40, // open deliveries of one replay: a full queue of one webhook, and no more before live ones
  REPLAY_RATE: 100, // per second, where none is asked for: beyond it live traffic feels the replay in the database's log
  REPLAY_STEP_MS: 50, // a replay that has more to do; 20 steps of the window are 800 a second
  REPLAY_POLL_MS: 1_000, // otherwise
  CANCELLATION_SLICE: 500, // deliveries canceled in one transaction: an event of one of their videos waits that long
  CANCELLATION_ROWS_MAX: 100_000, // in one request: it is answered within any proxy's patience
  CANCELLATION_WALKS_MAX: 3, // what was locked the first time is met again
  ERASURE_SLICE: 500, // events, or deliveries with their attempts, erased in one transaction
  ERASURE_ATTEMPTS_MAX: 20_000, // in one request: each may have 16 KiB, and it is answered within any proxy's patience
  RESEAL_SLICE: 100, // webhooks sealed anew in one transaction: their rows are locked meanwhile
  MAILS_A_ROUND_MAX: 20, // a round of mails must not outlast the time until the next
  MAIL_MS: 10_000, // for each step of talking to the mail server
  MAIL_NEWS_DAYS: 7, // where mail is set up later: older news is no news
  PARTITION_DAYS_AHEAD: 7, // a node that cannot make partitions for a week still has where to write
  RETENTION_EVERY_MS: 3_600_000,
  MIGRATION_LOCK_MS: 500, // what queues behind a migration that waits; within PostgreSQL's second for deadlocks, so it gives way
  MIGRATION_AGAIN_MS: 2_000, // between two tries: each may stop writers for as long as it waits
  MIGRATION_TRIES_MAX: 150, // six minutes: no transaction of ours lasts so long, and of an operator's it has to be told
  RETENTION_AGAIN_MS: 60_000, // after a round that could not have its lock: each try stops writers for up to a second

  SPANS_QUEUED_MAX: 8_192, // waiting for the collector, about 1 kB each; beyond it spans are dropped, never deliveries
  SPANS_WAIT_MS: 1_000, // for more of them; a full batch of 512 goes at once
  SPANS_FLUSH_MS: 1_000, // at the end: a collector that hangs must not hold it up

  DRAIN_SETTLE_MS: 1_000, // for writing down what the last attempts came to
  REQUESTS_DRAIN_MS: 3_000, // for requests under way at the end; uploads resume
  SHUTDOWN_MS: 20_000, // SIGTERM to exit, the attempts in flight included
} as const;

/** Throws where two bounds contradict each other: a bug in this file, found at start. */
export function assertLimits(limits: typeof LIMITS = LIMITS): void {
  const rules: [boolean, string][] = [
    [limits.DNS_TRY_MS * 3 < limits.ATTEMPT_CONNECT_MS, "both tries of a name must end inside the time to connect"],
    [limits.ATTEMPT_CONNECT_MS < limits.ATTEMPT_TOTAL_MS, "the time to connect is a part of the whole"],
    [limits.ATTEMPT_TOTAL_MS < limits.LEASE_MS, "an attempt must end before its lease does"],
    [limits.TRANSACTION_IDLE_MS <= limits.LEASE_MS, "rows must be free when the leases on them end"],
    [limits.ATTEMPT_TOTAL_MS < limits.SHUTDOWN_MS, "a drain must outlast an attempt"],
    [limits.RESPONSE_KEPT_BYTES <= limits.RESPONSE_READ_BYTES, "no more can be kept than is read"],
    [limits.WEBHOOK_IN_FLIGHT_START <= limits.WEBHOOK_IN_FLIGHT_MAX, "a webhook starts below its cap"],
    [limits.PROCESSING_HEARTBEAT_MS * 3 < limits.PROCESSING_LEASE_MS, "a lease must survive two lost heartbeats"],
    [limits.WEBHOOK_WARNED_MS < limits.WEBHOOK_FAILING_MS, "an owner is warned before a webhook is disabled"],
    [limits.LIST_MAX < limits.LIST_WALKED_SOON, "a page of what is looked at first must fit into it"],
    [limits.LIST_DEFAULT <= limits.LIST_MAX, "a list's default fits its maximum"],
  ];
  for (const [holds, reason] of rules) if (!holds) throw new Error(`limits.ts contradicts itself: ${reason}`);
}
