-- Events: immutable, their bytes frozen when they are recorded.
-- Partitioned by id, because an id is a UUIDv7: a range of ids is a range of time, so retention drops whole partitions,
-- and the key needs no time column. The default partition holds what a wrong clock produces.
-- Lock cost: creates only.

create table events (
  space_id uuid not null,
  id uuid not null,
  type text not null,
  video_id text,                  -- null for events about the webhooks themselves
  sequence integer not null,      -- the event's number within its video, from 1; 0 without a video
  payload text,                   -- exactly what is signed and sent; null: erased, so that there is nothing to send
  created_at timestamptz not null default now(),
  erased_at timestamptz,          -- when its payload was removed
  -- The span that recorded the event, as W3C Trace Context writes it. On the event and not on its pending deliveries,
  -- because a replay needs it after those have ended.
  traceparent text,
  tx xid8 not null default pg_current_xact_id(),  -- reading order that misses no commit: ids may commit out of order
  primary key (space_id, id)
) partition by range (id);
create table events_default partition of events default;
create index events_by_video on events (space_id, video_id, sequence) where video_id is not null;
-- Read by lists. Everything below the oldest running transaction, in this order, misses no event.
create index events_by_commit on events (space_id, tx, id);
-- Read by lists of rare types. The types that each upload causes are most of any history; a list of them reads
-- events_by_commit, and this index does not grow with them.
create index events_by_rare_type on events (space_id, type, tx, id)
  where type not in ('video.created', 'video.processing', 'video.uploaded');
