-- Events. They are immutable: an event's payload is fixed when it is recorded. The table is partitioned by id. Ids are
-- UUIDv7, so a range of ids corresponds to a time range. Retention can therefore drop whole partitions, and the primary
-- key needs no time column. The default partition holds rows whose ids were generated while the clock was wrong.
-- Lock cost: none; this file only creates objects.

create table events (
  space_id uuid not null,
  id uuid not null,
  type text not null,
  video_id text,                  -- null for events about the webhooks themselves
  sequence integer not null,      -- the event's number within its video, starting at 1; 0 if there is no video
  payload text,                   -- exactly what is signed and sent; null if erased, so it can no longer be sent
  created_at timestamptz not null default now(),
  erased_at timestamptz,          -- when the payload was erased
  -- The span that recorded the event, in W3C Trace Context format. It is stored on the event, not on its pending
  -- deliveries, because a replay needs it after those deliveries have finished.
  traceparent text,
  -- Readers sort by tx first, so that they miss no events. Sorting by id alone would miss some, because events can
  -- commit out of id order.
  tx xid8 not null default pg_current_xact_id(),
  primary key (space_id, id)
) partition by range (id);
create table events_default partition of events default;
create index events_by_video on events (space_id, video_id, sequence) where video_id is not null;
-- Read by lists. A reader that follows this order and stops before the oldest running transaction misses no events.
create index events_by_commit on events (space_id, tx, id);
-- Read by lists of rare types. Every upload causes events of the common types, so they make up most of any history.
-- Leaving them out keeps this index small; lists of common types read events_by_commit.
create index events_by_rare_type on events (space_id, type, tx, id)
  where type not in ('video.created', 'video.processing', 'video.uploaded');
