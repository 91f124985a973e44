-- What replays need beyond their rows: their pace, and their deliveries found.
-- Why a window: a replay opens only a few deliveries at a time, so that it never fills the queue of live traffic.
-- Lock cost: a new column with a constant default rewrites nothing; the index is on rows of replays only.

alter table replays add column advanced_at timestamptz not null default now();  -- when it last opened deliveries
alter table replays add column reason text;                                      -- of an end that nobody asked for

-- Read by a replay that counts its open deliveries, and by its cancellation.
create index pending_deliveries_by_replay on pending_deliveries (replay_id) where replay_id is not null;
create index replays_listed on replays (space_id, id desc);

-- The id of an event's delivery to a webhook: see 0005.
create function delivery_id(event uuid, webhook uuid) returns uuid language sql immutable parallel safe as $$
  select (left(replace(event::text, '-', ''), 16)
    || encode(substr(sha256(uuid_send(event) || uuid_send(webhook)), 1, 8), 'hex'))::uuid
$$;
