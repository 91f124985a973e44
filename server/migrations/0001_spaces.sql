-- Spaces, their API keys, one-time sign-in links, stored responses to idempotent requests, and the audit log. In every
-- per-space table, the primary key starts with space_id, so that a distributed PostgreSQL can shard by it; tables that
-- are looked up by a token's hash use the hash instead. Users and their sessions are in the `auth` schema, which the
-- sign-in library maintains.
-- Lock cost: none; this file only creates objects.

create table spaces (
  id uuid primary key,
  name text not null,
  claimed_at timestamptz,         -- when the owner's account was created; null until then
  created_at timestamptz not null default now()
);

-- A new server has one space, so that an API key can be created before anyone has signed in.
insert into spaces (id, name) values (gen_random_uuid(), 'My space');

create table api_keys (
  space_id uuid not null references spaces,
  id uuid not null,
  name text not null,
  scope text not null check (scope in ('read', 'write')),
  hash bytea not null,            -- SHA-256 of the whole key; with 256 random bits, it needs no slow hash
  hint text not null,             -- the last four characters, to tell keys apart
  created_by text,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  primary key (space_id, id)
);
create unique index api_keys_by_hash on api_keys (hash);

create table sign_in_links (
  hash bytea primary key,         -- SHA-256 of the token, which is shown once and not stored
  purpose text not null check (purpose in ('owner', 'sign_in', 'invitation')),
  space_id uuid not null references spaces,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

-- The response to a change is stored in the same transaction as the change itself, so either both commit or neither
-- does.
create table idempotency_keys (
  space_id uuid not null references spaces,
  principal_id text not null,     -- the API key or user that made the request; others cannot get its response
  key text not null,
  request_hash bytea not null,
  status smallint not null,
  body bytea not null,            -- encrypted, because a response may contain a secret that is shown only once
  created_at timestamptz not null default now(),
  primary key (space_id, principal_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

create table audit_log (
  space_id uuid not null references spaces,
  id uuid not null,               -- UUIDv7, so it sorts by time
  action text not null,           -- for example, webhook.secret_revealed
  actor text not null,            -- a user's email, `key <name>`, or `operator`
  actor_id text,                  -- the user's or key's id; null for an operator
  address text,
  subject text,                   -- the id of the affected object
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (space_id, id)
);
