-- The history: finished deliveries and the attempt log. Both are partitioned by time. Each index adds to the cost of
-- inserting the deliveries that it contains. Indexes for filters that select few rows therefore exclude successes and
-- common event types; lists of successes and of common types walk the history instead. The indexes by response can
-- exclude successes, because a delivery succeeds only if its last response was a 2xx.
-- Lock cost: none; this file only creates objects.

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
  reason text,                    -- the reason for a cancellation
  attempts integer not null,
  response_status smallint,       -- from the last attempt
  error text,                     -- the last attempt's error word
  duration_ms real,
  finished_at timestamptz not null default now(),
  sent_again_at timestamptz,      -- when a user last sent it again; used to ignore repeated clicks
  primary key (space_id, id)
) partition by range (id);
create table deliveries_default partition of deliveries default;
create index deliveries_by_webhook on deliveries (space_id, webhook_id, id desc);
create index deliveries_by_video on deliveries (space_id, video_id, webhook_id, sequence) where video_id is not null;
-- Read by lists of deliveries with one status, for all webhooks or for one.
create index deliveries_unsuccessful on deliveries (space_id, status, id desc) where status <> 'succeeded';
create index deliveries_unsuccessful_by_webhook on deliveries (space_id, webhook_id, status, id desc)
  where status <> 'succeeded';
-- Read by lists of deliveries with one response class, which is the status's first digit, or 0 without a response.
create index deliveries_by_response on deliveries (space_id, (coalesce(response_status / 100, 0)), id desc)
  where status <> 'succeeded';
create index deliveries_by_webhook_response on deliveries (space_id, webhook_id, (coalesce(response_status / 100, 0)), id desc)
  where status <> 'succeeded';
create index deliveries_by_rare_type on deliveries (space_id, type, id desc)
  where type not in ('video.created', 'video.processing', 'video.uploaded');

create table attempts (
  space_id uuid not null,
  delivery_id uuid not null,
  attempt integer not null,
  outcome text not null check (outcome in ('succeeded', 'retry', 'failed', 'canceled')),
  started_at timestamptz not null,
  url text not null,
  response_status smallint,
  error text,
  error_code text,                -- the original code that the error word stands for
  note text,                      -- what went wrong after the status was received
  timings json,                   -- in ms: dns, connect, tls, first_byte, total; also: reused, address
  request_headers json,
  response_headers json,          -- [name, value] pairs in the order received
  response_body bytea,            -- as received, truncated
  response_bytes integer,         -- how many bytes were read
  primary key (space_id, delivery_id, attempt)
) partition by range (delivery_id);
create table attempts_default partition of attempts default;
