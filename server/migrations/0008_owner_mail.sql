-- Mail to the owners of webhooks that fail: what each webhook's last mail was about, by time.
-- Why a column and not a queue: what has to be told follows from the webhook's own state, so nothing can be told twice
-- or after it is over.
-- Lock cost: a new column with a constant default rewrites nothing.

alter table webhooks add column mailed_at timestamptz not null default '-infinity';
