-- The queue: pending deliveries, small and hot, and the nodes that send them. A delivery that has finished moves to the
-- history (`deliveries`): the queue stays as small as the backlog, however long the history is.
-- Lock cost: creates only.

-- A delivery's id: the first half of its event's id, so that partitions and lists sort by time, and a hash of event and
-- webhook, so that one event has at most one delivery to one webhook.
create function delivery_id(event uuid, webhook uuid) returns uuid language sql immutable parallel safe as $$
  select (left(replace(event::text, '-', ''), 16)
    || encode(substr(sha256(uuid_send(event) || uuid_send(webhook)), 1, 8), 'hex'))::uuid
$$;

create table pending_deliveries (
  space_id uuid not null,
  webhook_id uuid not null,
  video_id text not null,         -- without a video: the event's own id, so that nothing waits for it
  sequence integer not null,
  id uuid not null,
  event_id uuid not null,
  type text not null,
  previous integer not null,      -- the last earlier event of this video that was sent to this webhook; 0: none
  attempt integer not null default 0,   -- attempts begun; also the fencing token, because every lease raises it
  step smallint not null default 0,     -- steps of the retry schedule used; beyond its end: one attempt only
  due_at timestamptz not null,    -- infinity: waits for an earlier event of its video; -infinity: sent again by a person
  leased_until timestamptz not null default '-infinity',
  leased_by integer,              -- the node's number
  replay_id uuid,                 -- the replay that sends it
  primary key (space_id, webhook_id, video_id, sequence)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- Read by the claim. leased_until is in no index, so that taking a lease can be a HOT update.
create index pending_deliveries_due on pending_deliveries (webhook_id, due_at) where due_at < 'infinity';
-- Read by lists and by one delivery's page. Not on the plain space_id: while statistics show an empty queue, every index
-- seems to cost the same, and a settle that chose this one would read all of a space's rows for each of its own.
create unique index pending_deliveries_by_id on pending_deliveries (uuid_send(space_id), id);
-- Read by the release of the next delivery of a video, and by the sweeper. Most rows never enter it.
create index pending_deliveries_waiting on pending_deliveries (space_id, webhook_id, video_id, sequence)
  where due_at = 'infinity';
-- Read by a replay that counts its pending deliveries, and by its cancellation.
create index pending_deliveries_by_replay on pending_deliveries (replay_id) where replay_id is not null;

-- The nodes that deliver. Each holds the advisory lock (7021800, number) in a session of its own: while that lock is
-- free, the node is not connected.
create table nodes (
  number integer primary key,
  started_at timestamptz not null default now()
);
