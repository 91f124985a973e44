-- The queue: pending deliveries, in a small table that changes constantly, and the nodes that send them. Finished
-- deliveries move to the history (`deliveries`), so the queue stays as small as the backlog, regardless of the
-- history's size.
-- Lock cost: none; this file only creates objects.

-- A delivery's id has two halves. The first is copied from its event's id, so that partitions and lists sort by time.
-- The second is a hash of the event id and the webhook id, so that an event has at most one delivery to each webhook.
create function delivery_id(event uuid, webhook uuid) returns uuid language sql immutable parallel safe as $$
  select (left(replace(event::text, '-', ''), 16)
    || encode(substr(sha256(uuid_send(event) || uuid_send(webhook)), 1, 8), 'hex'))::uuid
$$;

create table pending_deliveries (
  space_id uuid not null,
  webhook_id uuid not null,
  video_id text not null,         -- the event's own id if there is no video, so that no other delivery waits for it
  sequence integer not null,
  id uuid not null,
  event_id uuid not null,
  type text not null,
  previous integer not null,      -- the sequence number of the video's previous delivery to this webhook; 0 if none
  attempt integer not null default 0,   -- attempts started; also the fencing token, because every lease increments it
  step smallint not null default 0,     -- retry schedule steps used; a step past the schedule's end means no retries
  due_at timestamptz not null,    -- infinity: waits for an earlier event of the video; -infinity: a user sent it again
  scheduled_at timestamptz,       -- if a retry was made due earlier: when the retry schedule had it due
  leased_until timestamptz not null default '-infinity',
  leased_by integer,              -- the node's number
  replay_id uuid,                 -- the replay that reopened it, if any
  primary key (space_id, webhook_id, video_id, sequence)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- Read by the claim. leased_until is deliberately not indexed, so taking a lease can be a HOT update.
create index pending_deliveries_due on pending_deliveries (webhook_id, due_at) where due_at < 'infinity';
-- Read by lists and delivery pages. It indexes uuid_send(space_id) instead of space_id, so that the planner cannot
-- choose it for a settle. While statistics show an empty queue, all indexes appear to cost the same, but with this one,
-- a settle would read all of the space's rows for each delivery.
create unique index pending_deliveries_by_id on pending_deliveries (uuid_send(space_id), id);
-- Read when a video's next delivery is released, and by the sweeper. Few deliveries are ever blocked, so most rows
-- never enter this index.
create index pending_deliveries_waiting on pending_deliveries (space_id, webhook_id, video_id, sequence)
  where due_at = 'infinity';
-- Read when a replay counts its pending deliveries or is canceled.
create index pending_deliveries_by_replay on pending_deliveries (replay_id) where replay_id is not null;

-- The nodes that send deliveries. Each one holds the advisory lock (7021800, number) in a dedicated session, so if the
-- lock is free, the node is not connected.
create table nodes (
  number integer primary key,
  started_at timestamptz not null default now()
);
