-- What was recording events as a replay was asked for: it may not have seen the webhook, and its events are not visible yet.
-- The replay begins when that is over. An older node begins at once, as it always did.
-- Lock cost: a new column with a constant default rewrites nothing; the table has a row a replay.
-- Runs with: 0010

alter table replays add column awaits text[] not null default '{}';  -- virtual transactions, as pg_locks names them
