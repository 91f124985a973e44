-- Webhooks and their hourly statistics.
-- Secrets and the values of custom headers are encrypted (AES-256-GCM) before they reach this table; each encrypted
-- value starts with the id of the key that encrypted it.
-- Lock cost: none; this file only creates objects.

create table webhooks (
  space_id uuid not null references spaces,
  id uuid not null,
  url text not null,
  description text,
  events text[] not null,
  status text not null default 'enabled' check (status in ('enabled', 'paused', 'disabled')),
  status_reason text,
  status_since timestamptz not null default now(),
  ordering text not null default 'video' check (ordering in ('video', 'none')),
  rate_limit integer,             -- deliveries per second; null if unlimited
  headers bytea,                  -- encrypted JSON of names and values
  header_names text[] not null default '{}',
  secret bytea not null,
  secret_hint text not null,      -- the last four characters
  secret_since timestamptz not null default now(),
  previous_secret bytea,
  previous_secret_until timestamptz,
  failing_since timestamptz,      -- the first failure after the last success
  waits_until timestamptz,        -- until when its receiver asked to be sent nothing (Retry-After)
  warned_at timestamptz,          -- when its owners were warned that it would be disabled
  -- The time of the state change reported in the last email to the owners. There is no mail queue, because what to
  -- report follows from the webhook's current state. Nothing is therefore reported twice or after it no longer applies.
  mailed_at timestamptz not null default '-infinity',
  certificate_until timestamptz,  -- when the certificate that the receiver last presented expires
  created_by text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),  -- other nodes' dispatchers use it to find changed webhooks
  primary key (space_id, id)
);
-- Read by dispatchers, which do not know the space.
create unique index webhooks_by_id on webhooks (id);
create index webhooks_by_change on webhooks (changed_at);
-- Read to find webhooks that have been failing for long enough to warn about or disable.
create index webhooks_failing on webhooks (failing_since) where status = 'enabled' and failing_since is not null;

-- Hourly health counts, so that showing a webhook's health does not require counting its attempts.
create table webhook_hours (
  space_id uuid not null,
  webhook_id uuid not null,
  hour timestamptz not null,
  succeeded integer not null default 0,
  failed integer not null default 0,   -- attempts that failed
  errors jsonb not null default '{}',  -- error word or response status -> count
  timings jsonb not null default '{}', -- "phase bucket" -> count; bucket bounds are in webhooks/histogram.ts
  primary key (space_id, webhook_id, hour)
);

-- Adds two JSON objects of counts, key by key.
create function add_counts(a jsonb, b jsonb) returns jsonb language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, total), '{}')
  from (select key, sum(value::bigint) as total
        from (select * from jsonb_each_text(a) union all select * from jsonb_each_text(b)) both_objects group by key) added
$$;
