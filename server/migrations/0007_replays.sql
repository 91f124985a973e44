-- Replays, which deliver past events again and continue after a restart.
-- A replay keeps only a few deliveries pending at a time, so that it never crowds out live traffic.
-- Lock cost: none; this file only creates objects.

create table replays (
  space_id uuid not null references spaces,
  id uuid not null,
  webhook_id uuid not null,
  since timestamptz not null,
  until timestamptz not null,
  statuses text[],
  types text[],
  video_id text,
  rate integer,                   -- deliveries per second
  status text not null default 'running' check (status in ('running', 'paused', 'done', 'canceled')),
  reason text,                    -- why it ended, unless a user ended it
  total integer not null,
  done integer not null default 0,
  cursor_id uuid,                 -- the id of the last event processed
  advanced_at timestamptz not null default now(),  -- when it last reopened deliveries
  -- The virtual ids, from pg_locks, of the transactions that were recording events when the replay was created. They
  -- may not have seen the replay's webhook, so the replay does not start until they have finished.
  awaits text[] not null default '{}',
  first_at timestamptz,
  last_at timestamptz,
  created_by text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (space_id, id)
);
create index replays_running on replays (created_at) where status = 'running';
create index replays_listed on replays (space_id, id desc);
