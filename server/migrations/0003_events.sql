-- Events: immutable, their bytes frozen when recorded.
-- Why partitioned by id: an id is a UUIDv7, so a range of ids is a range of time; retention drops whole partitions
-- and no time column is needed in the key. The default partition takes what a wrong clock may produce.
-- Lock cost: creates only.

create table events (
  space_id uuid not null,
  id uuid not null,
  type text not null,
  video_id text,                  -- null for events about the webhooks themselves
  sequence integer not null,      -- the event's number within its video, from 1; 0 without a video
  payload text not null,          -- exactly what is signed and sent
  created_at timestamptz not null default now(),
  tx xid8 not null default pg_current_xact_id(),  -- commit-safe reading order: ids may commit out of order
  primary key (space_id, id)
) partition by range (id);
create table events_default partition of events default;
create index events_by_video on events (space_id, video_id, sequence) where video_id is not null;
-- Read by whoever follows the events: everything below the oldest open transaction, in this order, misses none.
create index events_by_commit on events (space_id, tx, id);
