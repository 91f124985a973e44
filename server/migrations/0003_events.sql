-- Events. They are immutable: an event's payload is fixed when it is recorded.
-- Partitioned by id. Ids are UUIDv7, so a range of ids is a range of time: retention drops whole partitions, and the
-- key needs no time column. The default partition holds rows with ids from a wrong clock.
-- Lock cost: creates only.

create table events (
  space_id uuid not null,
  id uuid not null,
  type text not null,
  video_id text,                  -- null for events about the webhooks themselves
  sequence integer not null,      -- the event's number within its video, from 1; 0 without a video
  payload text,                   -- exactly what is signed and sent; null if erased, so that nothing can be sent
  created_at timestamptz not null default now(),
  erased_at timestamptz,          -- when its payload was removed
  -- The span that recorded the event, as W3C Trace Context writes it. It is stored on the event, not on its
  -- pending deliveries, because a replay needs it after those have finished.
  traceparent text,
  tx xid8 not null default pg_current_xact_id(),  -- a reading order that misses no events: ids may commit out of order
  primary key (space_id, id)
) partition by range (id);
create table events_default partition of events default;
create index events_by_video on events (space_id, video_id, sequence) where video_id is not null;
-- Read by lists. Reading in this order, up to the oldest running transaction, misses no events.
create index events_by_commit on events (space_id, tx, id);
-- Read by lists of rare types. The common types, which every upload causes, make up most of any history. Lists of
-- common types read events_by_commit, so this index does not grow with them.
create index events_by_rare_type on events (space_id, type, tx, id)
  where type not in ('video.created', 'video.processing', 'video.uploaded');
