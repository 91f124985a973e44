/**
 * The limits on what users, receivers and other systems can cause, by subject. Each name ends with the unit, and each
 * comment gives the reason. `assertLimits` checks the relations between limits at startup.
 */
export const LIMITS = {
  // One attempt.
  ATTEMPT_CONNECT_MS: 5_000, // DNS, TCP and TLS together; a distant receiver needs about one second
  ATTEMPT_TOTAL_MS: 15_000, // including the response body; a slower receiver should respond first and work later. Also the maximum setting
  RESPONSE_READ_BYTES: 65_536, // more than is stored, so that a verbose receiver's connection can be reused
  RESPONSE_STORED_BYTES: 16_384, // how much of a response body the delivery log shows
  RESPONSE_HEADERS_BYTES: 16_384, // the parser's cap; a response with larger headers is invalid
  RESPONSE_RAW_BYTES: 1_048_576, // everything a receiver sends in one response, including framing
  RETRY_AFTER_MAX_MS: 3_600_000, // a receiver that sends milliseconds instead of seconds must not silence a video for days
  KEEP_ALIVE_RACE_MS: 1_000, // a reused connection that breaks sooner was already closing when the request was sent
  RESPONSE_RAW_CHECK_MS: 1_000, // between size checks; the parser does not limit reason phrases or chunk extensions
  INTERIM_RESPONSES_MAX: 8, // a receiver that sends more 1xx responses than this is treated as flooding

  // DNS and connections to receivers.
  DNS_QUERY_MS: 1_500, // for the first of two tries; together they take at most 4.5 s, which fits in ATTEMPT_CONNECT_MS
  HOSTS_FILE_CHECK_MS: 5_000, // between checks of whether the hosts file has changed
  DNS_CACHE_NAMES_MAX: 20_000, // the least recently used name is evicted first
  DNS_CACHE_MIN_MS: 5_000, // otherwise, a TTL of 0 would cause a query for every connection
  DNS_CACHE_MAX_MS: 300_000, // a receiver that moves is reachable again within five minutes
  DNS_FAILURE_CACHE_MS: 10_000, // shorter than every retry delay but the first, so that a repaired name soon resolves
  DNS_STALE_MS: 300_000, // how long past its TTL the last good response is used while the DNS servers are failing
  CONNECT_ADDRESS_MS: 1_500, // per address, so that trying three of a name's addresses fits in ATTEMPT_CONNECT_MS
  URLS_CHECKED_MAX: 10_000, // cached URL checks and origins; all are dropped when the cache is full
  ORIGIN_SOCKETS_MAX: 16, // larger pools are slower
  SOCKETS_OPEN_MAX: 2_000, // including idle ones; above this number, connections are closed after each use
  CONNECTION_AGE_MS: 60_000, // a receiver that moves gets requests at its new address within about a minute
  SOCKET_IDLE_MS: 30_000, // a new TLS connection costs 20 times as much as a delivery on an open one

  // The delivery engine of one node.
  ATTEMPTS_IN_FLIGHT_MAX: 256, // concurrent fast attempts; one core cannot keep up with more, which would just queue up
  ATTEMPTS_SLOW_MAX: 1_024, // attempts older than ATTEMPT_SLOW_AFTER_MS count here instead; each holds a socket and little else
  ATTEMPT_SLOW_AFTER_MS: 1_000, // most receivers respond in a tenth of this time
  ATTEMPT_SLOW_CHECK_MS: 100, // interval between checks for slow sends
  WEBHOOK_IN_FLIGHT_START: 2, // for slow start; each success raises the cap by one
  WEBHOOK_IN_FLIGHT_MAX: 10, // enough for 100 deliveries per second to a receiver that takes 100 ms
  WEBHOOK_FAILURES_MAX: 10, // consecutive non-2xx responses that restart slow start; a single one is not an outage
  WEBHOOK_QUEUED_MAX: 40, // in memory per webhook; further rows wait in the database
  DELIVERIES_QUEUED_MAX: 20_000, // in memory in total; once this is reached, all new rows wait in the database
  TARGETS_CACHED_MAX: 20_000, // webhooks cached with their secrets, about 1 kB each
  RECOVERY_FAILURES: 3, // consecutive failures after which a success shows that a receiver has recovered
  EARLY_MIN_MS: 1_000, // an early retry that is due anyway within this time is an ordinary attempt
  RETRIES_SLICE: 5_000, // retries made due by one statement, which locks their rows
  RETRIES_ROWS_MAX: 100_000, // per request, to stay below any proxy's timeout
  LEASE_MS: 30_000, // twice the longest attempt
  LEASE_MARGIN_MS: 1_000, // an attempt starts only if it and its settle fit in the rest of the lease
  WAIT_IN_MEMORY_MS: 5_000, // leases could expire during a longer wait, so the queue is returned to the database
  REST_MAX_MS: 60_000, // a Retry-After delays its own delivery in full, but the webhook's others at most this long
  CLAIM_BATCH_MAX: 256, // rows per claim; as many as ATTEMPTS_IN_FLIGHT_MAX
  CLAIM_AHEAD_ROUNDS: 2, // rounds of requests to claim for beyond the current one, so that one claim covers about three
  RATE_QUEUED_S: 0.5, // how long a queued delivery may wait for a token; other nodes can send the rest sooner
  POLL_MS: 1_000, // interval between searches for due rows, in case a notification is lost
  POLL_CHANGES_MS: 5_000, // interval between searches for webhooks changed on another node
  CHANGE_OVERLAP_MS: 10_000, // a change made this long before the previous search may have committed after it
  NOTICE_BATCH_MS: 20, // notifications are batched this long, because each commit that sends one takes a global lock
  NOTICE_IDS_MAX: 200, // each id and its comma take 37 of the NOTICE_BYTES
  NOTICE_BYTES: 7_800, // PostgreSQL limits a notification's payload to less than 8,000 bytes
  SETTLE_BATCH_MAX: 64, // larger batches keep their rows locked for longer without being faster
  SETTLE_LINGER_MS: 2, // waiting for 10 ms instead had no benefit
  SETTLE_PENDING_MAX: 2_048, // outcomes not yet committed; once this is reached, sending stops
  RELEASES_WAITING_MAX: 20_000, // as many as deliveries queued; the sweeper releases the rest
  SETTLE_RETRY_MS: 250, // between tries while the database is unavailable
  GROUP_COMMIT_EVENTS_MAX: 128, // a commit of this size takes a few milliseconds, and everything in it waits that long
  OVERLOADED_RETRY_S: 2, // the waiting creations are committed within this time
  GROUP_COMMIT_WAITING_MAX: 20_000, // items waiting for a commit; further ones are refused before they use memory
  STEP_MANUAL: 32_000, // a step past the end of any schedule, for single attempts (test events and manual sends)
  SEND_AGAIN_WINDOW_MS: 1_000, // clicks on "Send again" within this window count as one

  // Loops.
  LOOP_ROUND_MS: 30_000, // a round takes well under a second; one that takes longer makes /readyz report its loop
  RETENTION_ROUND_MS: 900_000, // dropping the partitions of many days, each after waiting up to a second for its lock
  CLEANUP_ROUND_MS: 900_000, // deleting the files of DELETED_PER_ROUND_MAX videos from a slow disk
  MAIL_ROUND_MS: 900_000, // MAILS_PER_ROUND_MAX emails to a mail server that responds just in time

  // The database. A database that vanishes without closing its connections must not block a loop for longer.
  STATEMENT_MS: 8_000, // the slowest statement takes well under a second; one that overruns closes its connection
  STATEMENT_LONG_MS: 60_000, // for dropping a day's partitions, and for waiting until another node has migrated
  DATABASE_CONNECTIONS: 20, // the embedded PostgreSQL accepts 60; an external one is shared by several nodes
  DATABASE_CONNECT_MS: 5_000, // also how long a statement waits for a free connection
  DATABASE_IDLE_MS: 30_000, // after a burst, other nodes can use the connections
  DATABASE_KEEPALIVE_MS: 5_000, // a connection that is idle for this long is probed by TCP

  // Nodes, and recovery of lost work.
  NODES_MAX: 1_000, // far more than one database can serve
  NODE_NUMBER_TRIES_MAX: 100, // nodes that start at the same time compete for the same numbers
  SESSION_PROBE_MS: 5_000, // interval between liveness checks of a dedicated connection
  SESSION_RETRY_MS: 250, // between tries to reconnect; short, so that other nodes do not presume this one dead
  TRANSACTION_IDLE_MS: 10_000, // then PostgreSQL releases the locks of a process that froze or lost its connection
  SWEEP_MS: 1_000, // interval between searches for work that a dead process left behind
  SWEEP_ROWS_MAX: 1_000, // waiting deliveries checked by one statement
  SWEEP_SLICES_MAX: 20, // statements per sweep; the next sweep continues where the last one stopped

  // HTTP requests.
  BODY_BYTES: 262_144, // JSON bodies only; files are streamed. The largest valid body, a video with all its metadata, has 30 kB
  BODY_DEPTH_MAX: 32, // parsing recurses; no API field is nested more than three deep
  BODY_MS: 15_000, // a request whose body takes longer is rejected
  BODY_DISCARD_MS: 2_000, // how long the rest of a rejected body is read, so that the client gets the response
  FIELD_ERRORS_MAX: 100, // reported in one response; no form has that many fields
  REQUEST_HEADERS_MS: 15_000, // the same as for a body; a slower client would only tie up a socket
  REQUEST_HEADERS_CHECK_MS: 2_000, // between checks for connections whose headers are late; Node's default is 30 s
  CONNECTIONS_MAX: 10_000, // each holds a socket and some memory, even if it never sends a request
  REQUEST_HEADERS_BYTES: 16_384, // Node's default
  KEEP_ALIVE_MS: 72_000, // above the idle timeout of common proxies, so that the proxy closes first
  EVENT_LOOP_DELAY_MS: 5_000, // a server this far behind rejects new requests
  READY_MS: 2_000, // /readyz fails when the database is slower than this
  LIST_DEFAULT: 20, // one screen
  LIST_MAX: 100, // a page of deliveries with its counts then takes a few milliseconds
  LIST_SCAN_FIRST_ROWS: 2_000, // scanned first for a page with several filters; takes 1 ms, which is usually enough
  LIST_SCAN_ROWS_MAX: 20_000, // scanned next, before a short page is returned; takes 20 ms, and a full scan seconds
  IDEMPOTENCY_KEPT_S: 86_400, // a client that retries after a day should first check whether it already succeeded
  OVERVIEW_CACHED_MS: 1_000, // every open page polls the overview
  OVERVIEWS_CACHED_MAX: 1_000, // one per space that has an open page

  // Rate limits, per node.
  REQUESTS_PER_KEY_MAX: 60_000, // per minute for each API key or user; stops a runaway loop, not a legitimate program
  REQUESTS_PER_ADDRESS_MAX: 6_000, // per minute without a key; embeds are exempt
  INVALID_KEYS_PER_ADDRESS_MAX: 60, // per minute; valid keys from the same address keep working
  SIGN_INS_PER_DEVICE_MAX: 10, // wrong passwords per SIGN_IN_WINDOW_MS from a device where this user signed in before
  SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX: 10, // wrong passwords per SIGN_IN_WINDOW_MS; far too few to guess one
  SIGN_INS_PER_ADDRESS_MAX: 20, // wrong passwords per SIGN_IN_WINDOW_MS for all emails; each costs a slow hash
  SIGN_INS_PER_EMAIL_MAX: 200, // wrong passwords per SIGN_IN_WINDOW_MS from all addresses; known devices are exempt
  DEVICE_KNOWN_S: 31_536_000, // a year since the user last signed in on the device
  HASHES_AT_ONCE_MAX: 1, // of the four threads that also read files; a hash takes about 0.1 s
  HASHES_WAITING_MAX: 50, // sign-ins that wait for a hash, for about 5 s at most; further ones are refused
  SIGN_IN_WINDOW_MS: 900_000, // 15 minutes, which makes guessing hopeless but lets a forgetful person try again soon

  // Keys, sessions and links.
  API_KEYS_PER_SPACE_MAX: 100, // one per application is enough; the dashboard lists them all on one page
  API_KEYS_CACHED_MAX: 10_000, // about 200 bytes each
  API_KEY_CACHED_MS: 5_000, // how long other nodes still accept a key after it is deleted on this one
  API_KEY_USED_FLUSH_MS: 10_000, // last_used is written this often, for all keys in one statement
  PASSWORD_CHARACTERS_MIN: 10, // above the 8 of NIST SP 800-63B
  PASSWORD_CHARACTERS_MAX: 128, // bounds the input to the password hash, which is deliberately slow
  SESSION_VALID_S: 2_592_000, // 30 days since the last visit
  SESSION_CACHED_S: 60, // how long a copied session cookie still allows reading after sign-out
  LINK_VALID_MS: 3_600_000, // an hour, for first-run and sign-in links
  INVITATION_VALID_MS: 604_800_000, // a week, for people on vacation

  // Fields.
  URL_CHARACTERS_MAX: 2_048, // what browsers and proxies accept
  NAME_CHARACTERS_MAX: 200, // must fit on one line of a list
  DESCRIPTION_CHARACTERS_MAX: 200, // must fit on one line of a list
  METADATA_KEYS_MAX: 50, // as in Stripe's API
  METADATA_KEY_CHARACTERS_MAX: 40, // as in Stripe's API
  METADATA_VALUE_CHARACTERS_MAX: 500, // as in Stripe's API

  // Webhooks.
  WEBHOOKS_PER_SPACE_MAX: 1_000, // each event is matched against every webhook in its space
  WEBHOOK_HEADERS_MAX: 20, // custom headers, which are sent with every request; receivers need one or two for their own authentication
  WEBHOOK_FAILING_MS: 432_000_000, // five days of nothing but failures, which is longer than a holiday weekend, disable a webhook
  WEBHOOK_WARNING_MS: 216_000_000, // half of WEBHOOK_FAILING_MS, which leaves time to act after a weekend
  WEBHOOK_FAILING_CHECK_MS: 60_000, // interval between checks for failing webhooks
  BACKLOG_COUNTED_MAX: 100_000, // pending deliveries counted for a page; a larger backlog is shown as this number
  HEALTH_FLUSH_MS: 2_000, // how stale webhook health may be; a killed process loses its counts since the last write
  SECRET_OVERLAP_MAX_S: 604_800, // a week to roll out a new secret

  // Streams and live pages.
  STREAMS_PER_NODE_MAX: 1_000, // each may buffer STREAM_BUFFERED_BYTES
  STREAMS_PER_SPACE_MAX: 200, // one space cannot use up a node's streams
  STREAM_BUFFERED_BYTES: 1_048_576, // unsent, per viewer; one that falls further behind is disconnected and can resume
  STREAM_HEARTBEAT_MS: 15_000, // below the idle timeout of common proxies
  STREAM_POLL_MS: 1_000, // the longest delay that a lost signal can cause
  STREAM_PAGE: 100, // events read per query while a viewer catches up
  LIVE_ANNOUNCE_MS: 10_000, // between announcements that a node has viewers; each is valid for three times as long
  LIVE_POLL_MS: 5_000, // how often pages refetch on a node without a LISTEN connection
  LIVE_RECONNECT_MS: 1_000, // between tries to reconnect; meanwhile, pages see only this node's changes
  CHANGES_BATCH_MS: 200, // one write per space and interval, whatever the load
  CHANGES_BATCH_MAX: 200, // more than a page shows; further changes are dropped, since pages refetch their lists anyway

  // Uploads and processing.
  UPLOAD_BYTES_MAX: 20_000_000_000, // default of MAVE_UPLOAD_MAX_BYTES
  UPLOADS_OPEN_PER_SPACE_MAX: 200, // each reserves disk space for its declared size
  UPLOAD_EXPIRES_MS: 86_400_000, // an abandoned upload is removed a day after its last byte
  UPLOAD_TOKEN_MS: 86_400_000, // long enough to resume an interrupted upload the next morning
  UPLOAD_IDLE_MS: 60_000, // a client that sends nothing for this long is disconnected; with tus, it can resume
  UPLOADS_RECONCILE_MS: 30_000, // interval between checks for uploads whose rows and files disagree
  PROCESSING_AT_ONCE_MAX: 1, // ffmpeg uses every core
  PROCESSING_ATTEMPTS_MAX: 3, // only machine faults are retried; invalid media fails at once
  PROCESSING_LEASE_MS: 60_000, // how long a dead node keeps a video; a lease survives a 30-second database outage
  PROCESSING_HEARTBEAT_MS: 15_000, // between renewals of the lease
  PROCESSING_PROGRESS_MS: 2_000, // minimum interval between progress writes
  PROCESSING_RETRY_MS: 5_000, // times the square of the attempt count; most machine faults are brief, some are not
  PROCESSING_POLL_MS: 5_000, // for uploads to other nodes and expired leases; signals report uploads to this node
  PROBE_MS: 20_000, // for ffprobe, which reads only the headers and the index
  PROBE_MEMORY_BYTES: 2_000_000_000, // virtual memory; valid files need a tenth of this
  PROBE_OUTPUT_BYTES: 1_000_000, // ffprobe's output
  VIDEO_DURATION_MAX_S: 21_600, // six hours, which take about as long to process on two cores
  VIDEO_STREAMS_MAX: 40, // even films with every dub and subtitle track have fewer
  VIDEO_SIDE_MAX: 8_192, // pixels; the largest that hardware decoders support
  VIDEO_PIXELS_MAX: 35_389_440, // 8192 × 4320
  FFMPEG_MEMORY_BYTES: 6_000_000_000, // virtual memory; the highest resident size measured was 580 MB
  FFMPEG_FILE_BYTES: 50_000_000_000, // larger than any rendition of the largest upload
  FFMPEG_WALL_MIN_MS: 300_000, // or 60 times the duration of the video, if that is longer
  FFMPEG_CPU_MIN_S: 600, // or 120 times the duration of the video, if that is longer
  FFMPEG_SILENT_MS: 120_000, // ffmpeg reports twice a second; if it reports nothing for this long, it is hung
  REMUX_MEMORY_MB: 512, // for the thread that remuxes a file on a machine without ffmpeg
  REMUX_MS: 1_800_000, // remuxing only copies, so six hours of video take minutes
  VERSION_KEPT_MS: 3_600_000, // a replaced version stays available for its current viewers

  // Replays, cancellations and erasures.
  REPLAY_WINDOW: 40, // pending deliveries per replay: enough to fill a webhook's queue, too few to delay live ones much
  REPLAY_RATE: 100, // default, in deliveries per second; a faster replay's WAL writes would slow down live deliveries
  REPLAY_STEP_MS: 50, // between steps while a replay has work left; allows 800 deliveries per second, in 20 windows
  REPLAY_POLL_MS: 1_000, // between checks for replays to run while there are none
  CANCELLATION_SLICE: 500, // deliveries canceled per transaction, which new events of their videos must wait for
  CANCELLATION_ROWS_MAX: 100_000, // per request, to stay below any proxy's timeout
  CANCELLATION_PASSES_MAX: 3, // rows that are locked during one pass are found by the next
  ERASURE_SLICE: 500, // events, or deliveries with their attempts, erased per transaction
  ERASURE_ATTEMPTS_MAX: 20_000, // per request, at up to 16 KiB each, to stay below any proxy's timeout

  // Maintenance.
  RESEAL_SLICE: 100, // webhooks resealed per transaction, which locks their rows
  MAILS_PER_ROUND_MAX: 20, // a round must end before the next one starts
  MAIL_MS: 10_000, // per step of the SMTP dialog
  MAIL_AGE_MAX_DAYS: 7, // when email is first configured, notices older than this are not sent
  PARTITION_DAYS_AHEAD: 7, // rows still get a daily partition even if creating partitions fails for a week
  RETENTION_INTERVAL_MS: 3_600_000, // partitions span a day, so an hourly check is enough
  RETENTION_RETRY_MS: 60_000, // after a lock timeout; each try blocks writers for up to a second
  MIGRATION_LOCK_MS: 500, // below PostgreSQL's deadlock timeout of 1 s, so that the migration yields to waiting writers
  MIGRATION_RETRY_MS: 2_000, // each try may block writers until it succeeds or gives up
  MIGRATION_STATEMENT_MS: 86_400_000, // a concurrent index build of a large table takes hours
  MIGRATION_TRIES_MAX: 150, // six minutes; no Mave transaction is that long, so the operator must find whichever is

  // Traces.
  SPANS_QUEUED_MAX: 8_192, // about 1 kB each; further spans are dropped, which never affects deliveries
  SPANS_BATCH_MS: 1_000, // a full batch of 512 is sent immediately
  SPANS_FLUSH_MS: 1_000, // a collector that hangs must not delay the shutdown

  // Shutdown.
  DRAIN_SETTLE_MS: 1_000, // for settling the last attempts
  REQUESTS_DRAIN_MS: 3_000, // for requests in progress; interrupted uploads resume later
  SHUTDOWN_EXIT_MS: 500, // kept free at the end, so that the process exits before a supervisor kills it
  SHUTDOWN_MS: 20_000, // from SIGTERM to exit, including attempts in flight
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** Throws if two limits contradict each other, which would be a bug in this file. */
export function assertLimits(limits: Limits = LIMITS): void {
  const rules: [boolean, string][] = [
    [limits.DNS_QUERY_MS * 3 < limits.ATTEMPT_CONNECT_MS, "both tries of a DNS query must fit into ATTEMPT_CONNECT_MS"],
    [limits.ATTEMPT_CONNECT_MS < limits.ATTEMPT_TOTAL_MS, "ATTEMPT_TOTAL_MS must include ATTEMPT_CONNECT_MS"],
    [limits.CONNECT_ADDRESS_MS * 3 < limits.ATTEMPT_CONNECT_MS, "three addresses must fit into ATTEMPT_CONNECT_MS"],
    [
      limits.ATTEMPT_TOTAL_MS + limits.LEASE_MARGIN_MS + limits.WAIT_IN_MEMORY_MS < limits.LEASE_MS,
      "a wait in memory, an attempt and its settle must end before the lease expires",
    ],
    [limits.STATEMENT_MS < limits.LEASE_MS, "a statement must end before the leases that it grants expire"],
    [limits.NOTICE_IDS_MAX * 37 < limits.NOTICE_BYTES, "a notification must fit into NOTICE_BYTES"],
    [limits.TRANSACTION_IDLE_MS <= limits.LEASE_MS, "a frozen process must lose its locks before its leases expire"],
    [
      limits.REQUESTS_DRAIN_MS + limits.ATTEMPT_TOTAL_MS + limits.DRAIN_SETTLE_MS <
        limits.SHUTDOWN_MS - limits.SHUTDOWN_EXIT_MS,
      "requests, attempts and their settles must end before the shutdown does",
    ],
    [limits.RESPONSE_STORED_BYTES <= limits.RESPONSE_READ_BYTES, "no more of a response can be stored than was read"],
    [limits.WEBHOOK_IN_FLIGHT_START <= limits.WEBHOOK_IN_FLIGHT_MAX, "slow start must begin below its maximum"],
    [limits.PROCESSING_HEARTBEAT_MS * 3 < limits.PROCESSING_LEASE_MS, "a lease must survive two missed heartbeats"],
    [limits.WEBHOOK_WARNING_MS < limits.WEBHOOK_FAILING_MS, "the warning must come before the webhook is disabled"],
    [limits.LIST_MAX < limits.LIST_SCAN_FIRST_ROWS, "the first scan must be able to fill a page"],
    [limits.LIST_DEFAULT <= limits.LIST_MAX, "the default page size must not exceed the maximum"],
  ];
  for (const [holds, reason] of rules) if (!holds) throw new Error(`Contradiction in limits.ts: ${reason}`);
}
