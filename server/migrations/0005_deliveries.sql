-- Deliveries: the queue (pending_deliveries, small and hot), the history (deliveries, append-only) and the attempt log.
-- Why apart: a finished delivery is inserted once and never updated, so the history needs no vacuum and any index;
-- the queue stays as small as the backlog, whatever the history holds.
-- A delivery's id shares its first half with its event's id (so that partitions and lists sort by time) and its second
-- half is a hash of event and webhook: one event has at most one delivery for one webhook.
-- Lock cost: creates only.

create table pending_deliveries (
  space_id uuid not null,
  webhook_id uuid not null,
  video_id text not null,         -- without a video: the event's own id, so that nothing waits for it
  sequence integer not null,
  id uuid not null,
  event_id uuid not null,
  type text not null,
  previous integer not null,      -- the last earlier event of this video that this webhook was due; 0: none
  attempt integer not null default 0,   -- attempts begun; also the fencing token: every lease raises it
  step smallint not null default 0,     -- steps of the retry schedule used; beyond its end: one attempt only
  due_at timestamptz not null,    -- infinity: waits for an earlier event of its video
  leased_until timestamptz not null default '-infinity',
  leased_by integer,              -- the node's number
  replay_id uuid,                 -- set while a replay sends it: its own lane
  primary key (space_id, webhook_id, video_id, sequence)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- Read by the claim. leased_until is in no index, so that taking a lease can be a HOT update.
create index pending_deliveries_due on pending_deliveries (webhook_id, due_at) where due_at < 'infinity';
-- Read by lists and by one delivery's page. Not on the plain space_id: while statistics show an empty queue, every index
-- seems to cost the same, and a settle that took this one would read all of a space's rows for each of its own.
create unique index pending_deliveries_by_id on pending_deliveries (uuid_send(space_id), id);
-- Read by the sweeper: rows that wait for an earlier event of their video. Most rows never enter it.
create index pending_deliveries_waiting on pending_deliveries (space_id, webhook_id, video_id, sequence)
  where due_at = 'infinity';

create table deliveries (
  space_id uuid not null,
  id uuid not null,
  webhook_id uuid not null,
  event_id uuid not null,
  type text not null,
  video_id text,
  sequence integer not null,
  previous integer not null,
  status text not null check (status in ('succeeded', 'failed', 'canceled')),
  reason text,                    -- of a cancellation
  attempts integer not null,
  response_status smallint,         -- of the last attempt
  error text,                     -- of the last attempt: a word from the closed set
  duration_ms real,
  finished_at timestamptz not null default now(),
  sent_again_at timestamptz,      -- by hand; many clicks at once are one
  primary key (space_id, id)
) partition by range (id);
create table deliveries_default partition of deliveries default;
-- Updated only when a finished delivery is sent again.
create index deliveries_by_webhook on deliveries (space_id, webhook_id, id desc);
create index deliveries_by_video on deliveries (space_id, video_id, webhook_id, sequence) where video_id is not null;
create index deliveries_unsuccessful on deliveries (space_id, status, id desc) where status <> 'succeeded';

create table attempts (
  space_id uuid not null,
  delivery_id uuid not null,
  attempt integer not null,
  outcome text not null check (outcome in ('succeeded', 'retry', 'failed', 'canceled')),
  started_at timestamptz not null,
  url text not null,
  response_status smallint,
  error text,
  error_code text,                -- the raw code behind the word
  note text,                      -- what went wrong after the status was known
  timings json,                   -- ms: dns, connect, tls, first_byte, total; reused, address
  request_headers json,
  response_headers json,            -- [name, value] pairs in the order received
  response_body bytea,              -- as received, cut at the bound
  response_bytes integer,           -- how many bytes were read
  primary key (space_id, delivery_id, attempt)
) partition by range (delivery_id);
create table attempts_default partition of attempts default;

create table replays (
  space_id uuid not null references spaces,
  id uuid not null,
  webhook_id uuid not null,
  since timestamptz not null,
  until timestamptz not null,
  statuses text[],
  types text[],
  video_id text,
  rate integer,                   -- per second
  status text not null default 'running' check (status in ('running', 'paused', 'done', 'canceled')),
  total integer not null,
  done integer not null default 0,
  cursor_id uuid,                 -- the last event id walked
  first_at timestamptz,
  last_at timestamptz,
  created_by text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (space_id, id)
);
create index replays_running on replays (created_at) where status = 'running';

-- The nodes that deliver. Each holds the advisory lock (7021800, number) on a session of its own while it lives:
-- whoever gets that lock knows that the node is gone, and may end its leases.
create table nodes (
  number integer primary key,
  started_at timestamptz not null default now()
);
