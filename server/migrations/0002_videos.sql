-- Videos and their uploads.
-- There are two tables, because a video exists before its first file is uploaded and outlives all of its files. An
-- upload is one file that may become the playing version; its row is also its entry in the processing queue.
-- Lock cost: none; this file only creates objects.

create table videos (
  space_id uuid not null references spaces,
  id text not null check (id ~ '^[0-9A-Za-z]{10}$'),
  name text,
  metadata jsonb not null default '{}',
  status text not null default 'waiting' check (status in ('waiting', 'uploading', 'processing', 'ready', 'failed')),
  progress smallint,              -- 0-100 while a file is being processed, even while an older version is playing
  error_code text,                -- why the newest upload did not become playable
  error_message text,
  duration_s double precision,
  width integer,
  height integer,
  size_bytes bigint,
  renditions jsonb not null default '[]',
  poster text,                    -- poster, storyboard and playback: file names in the playing version's folder
  storyboard text,
  playback text,
  playing_version integer,
  playing_folder text,            -- its media folder; each attempt has its own, so a late one never changes live files
  last_version integer not null default 0,
  last_sequence integer not null default 0,  -- the number of this video's newest event
  last_upload_at timestamptz,
  created_at timestamptz not null default now(),
  deleted_at timestamptz,         -- the row is kept, so the id is never reused and the page can show the deletion
  files_removed_at timestamptz,   -- when a deleted video's last file was removed from storage
  primary key (space_id, id)
);
-- Read by embed pages, which do not know the space.
create unique index videos_by_id on videos (id);
create index videos_listed on videos (space_id, created_at desc, id desc) where deleted_at is null;
-- Read by the clean-up of deleted videos.
create index videos_to_clear on videos (deleted_at) where deleted_at is not null and files_removed_at is null;

create table uploads (
  space_id uuid not null,
  video_id text not null,
  version integer not null,
  id text not null,               -- the upload's own id, used in its tus URL and file name
  state text not null check (state in ('receiving', 'received', 'processing', 'published', 'failed', 'canceled')),
  resumable boolean not null,     -- true for tus; an interrupted plain PUT cannot be resumed
  file_name text,                 -- as the uploader named it; displayed, but never used as a path
  size_bytes bigint,              -- the declared size until the file is received, then its actual size
  attempt smallint not null default 0,  -- processing attempts started
  lease_token uuid,
  leased_until timestamptz not null default '-infinity',
  media jsonb,                    -- the probe's result and the files made from the upload
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  received_at timestamptz,
  finished_at timestamptz,
  files_removed_at timestamptz,   -- when this upload's files were removed from storage
  primary key (space_id, video_id, version),
  foreign key (space_id, video_id) references videos (space_id, id)
);
create unique index uploads_by_id on uploads (id);
-- Read by processors that claim an upload.
create index uploads_to_process on uploads (received_at) where state in ('received', 'processing');
-- Read by the reconciler, which looks for uploads that were fully received or abandoned.
create index uploads_receiving on uploads (space_id, created_at) where state = 'receiving';
-- Read by the clean-up of uploads whose files are no longer needed.
create index uploads_to_clear on uploads (finished_at)
  where state in ('published', 'failed', 'canceled') and files_removed_at is null;

create table upload_tokens (
  space_id uuid not null,
  video_id text not null,
  hash bytea primary key,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  foreign key (space_id, video_id) references videos (space_id, id)
);
create index upload_tokens_by_age on upload_tokens (expires_at);
