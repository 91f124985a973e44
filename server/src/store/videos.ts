import type { Sql, Statement } from "./db.ts";

export type VideoStatus = "waiting" | "uploading" | "processing" | "ready" | "failed";

export interface Rendition {
  name: string;
  width: number;
  height: number;
  /** Peak bits per second, including audio. */
  bitrate: number;
}

/** A video's row, without the columns that only the store uses. */
export interface VideoRow {
  space_id: string;
  id: string;
  name: string | null;
  metadata: Record<string, string>;
  status: VideoStatus;
  progress: number | null;
  error_code: string | null;
  error_message: string | null;
  duration_s: number | null;
  width: number | null;
  height: number | null;
  size_bytes: number | null;
  renditions: Rendition[];
  poster: string | null;
  storyboard: string | null;
  playback: string | null;
  playing_version: number | null;
  playing_folder: string | null;
  last_version: number;
  last_sequence: number;
  last_upload_at: Date | null;
  created_at: Date;
  deleted_at: Date | null;
}

const VIDEO = `space_id, id, name, metadata, status, progress, error_code, error_message, duration_s, width, height,
  size_bytes, renditions, poster, storyboard, playback, playing_version, playing_folder, last_version, last_sequence,
  last_upload_at, created_at, deleted_at`;

const insert: Statement = {
  name: "videos_insert",
  text: `insert into videos (space_id, id, name, metadata, last_sequence)
    select space_id, id, name, metadata, 1
    from json_to_recordset($1::json) as v(space_id uuid, id text, name text, metadata jsonb)
    on conflict do nothing returning ${VIDEO}`,
};

export interface NewVideo {
  space: string;
  id: string;
  name: string | null;
  metadata: Record<string, string>;
}

/**
 * Inserts videos. Each video's last sequence number starts at 1, to account for its first event. Videos whose ids are
 * already in use are omitted from the result.
 */
export async function insertVideos(sql: Sql, videos: readonly NewVideo[]): Promise<VideoRow[]> {
  const rows = videos.map(({ space, ...video }) => ({ space_id: space, ...video }));
  return sql.run<VideoRow>(insert, [JSON.stringify(rows)]);
}

const get: Statement = {
  name: "video_get",
  text: `select ${VIDEO} from videos where space_id = $1 and id = $2 and deleted_at is null`,
};

export async function getVideo(sql: Sql, space: string, id: string): Promise<VideoRow | undefined> {
  return (await sql.run<VideoRow>(get, [space, id]))[0];
}

// Served by videos_by_id, because a public page does not know the space.
const getPublic: Statement = { name: "video_get_public", text: `select ${VIDEO} from videos where id = $1` };

/** Returns a video by id alone, even if it is deleted, for its public page. */
export async function getPublicVideo(sql: Sql, id: string): Promise<VideoRow | undefined> {
  return (await sql.run<VideoRow>(getPublic, [id]))[0];
}

const lock: Statement = {
  name: "video_lock",
  text: `select ${VIDEO} from videos where space_id = $1 and id = $2 and deleted_at is null for update`,
};

/** Locks a video until the transaction ends. To avoid deadlocks, lock its uploads only after the video itself. */
export async function lockVideo(tx: Sql, space: string, id: string): Promise<VideoRow | undefined> {
  return (await tx.run<VideoRow>(lock, [space, id]))[0];
}

// Both lists walk videos_listed from the cursor. A deleted video still works as a cursor, because its row remains.
const listOlder: Statement = {
  name: "videos_list_older",
  text: `select ${VIDEO} from videos
    where space_id = $1 and deleted_at is null
      and (created_at, id) < (case when $2::text is null then 'infinity' else (select created_at from videos where space_id = $1 and id = $2) end, coalesce($2, '~'))
      and ($3::text is null or status = $3) and ($4::text is null or name ilike $4 or id = $5)
    order by created_at desc, id desc limit $6`,
};

const listNewer: Statement = {
  name: "videos_list_newer",
  text: `select ${VIDEO} from videos
    where space_id = $1 and deleted_at is null
      and (created_at, id) > ((select created_at from videos where space_id = $1 and id = $2), $2)
      and ($3::text is null or status = $3) and ($4::text is null or name ilike $4 or id = $5)
    order by created_at, id limit $6`,
};

export interface VideoFilter {
  status: VideoStatus | null;
  /** Part of a video's name (case-insensitive), or its full id. */
  search: string | null;
}

/**
 * Lists at most `limit` videos older than `after`, newest first. If `after` is null, the list starts with the newest.
 */
export async function listVideosAfter(
  sql: Sql,
  space: string,
  filter: VideoFilter,
  after: string | null,
  limit: number,
): Promise<VideoRow[]> {
  return sql.run<VideoRow>(listOlder, [space, after, filter.status, ...searchValues(filter), limit]);
}

/** Lists the `limit` videos that are just newer than `before`, oldest first. */
export async function listVideosBefore(
  sql: Sql,
  space: string,
  filter: VideoFilter,
  before: string,
  limit: number,
): Promise<VideoRow[]> {
  return sql.run<VideoRow>(listNewer, [space, before, filter.status, ...searchValues(filter), limit]);
}

function searchValues({ search }: VideoFilter): [string | null, string | null] {
  return search === null ? [null, null] : [`%${search.replace(/[\\%_]/g, "\\$&")}%`, search];
}

const update: Statement = {
  name: "video_update",
  text: `update videos set name = $3, metadata = $4 where space_id = $1 and id = $2 returning ${VIDEO}`,
};

export async function updateVideo(
  tx: Sql,
  video: VideoRow,
  change: { name: string | null; metadata: Record<string, string> },
): Promise<VideoRow> {
  const values = [video.space_id, video.id, change.name, JSON.stringify(change.metadata)];
  return (await tx.run<VideoRow>(update, values))[0]!;
}

const remove: Statement = {
  name: "video_delete",
  text: `update videos set deleted_at = now(), last_sequence = last_sequence + 1
    where space_id = $1 and id = $2 and deleted_at is null returning ${VIDEO}`,
};

/**
 * Marks a video as deleted and allocates the sequence number for its final event.
 * @returns undefined if the video does not exist
 */
export async function deleteVideo(tx: Sql, space: string, id: string): Promise<VideoRow | undefined> {
  return (await tx.run<VideoRow>(remove, [space, id]))[0];
}

const setStatus: Statement = {
  name: "video_set_status",
  text: `update videos set status = $3, progress = $4, error_code = $5, error_message = $6, last_version = $7,
      last_sequence = last_sequence + $8
    where space_id = $1 and id = $2 returning ${VIDEO}`,
};

/** Changes made by a running upload. `events` is the number of events that the change will record. */
export interface StatusChange {
  status: VideoStatus;
  progress: number | null;
  error: { code: string; message: string } | null;
  version: number;
  events: 0 | 1;
}

export async function setVideoStatus(tx: Sql, video: VideoRow, change: StatusChange): Promise<VideoRow> {
  const error = [change.error?.code ?? null, change.error?.message ?? null];
  const values = [video.space_id, video.id, change.status, change.progress, ...error, change.version, change.events];
  return (await tx.run<VideoRow>(setStatus, values))[0]!;
}

const setProgress: Statement = {
  name: "video_set_progress",
  text: `update videos set progress = $3 where space_id = $1 and id = $2 and progress is distinct from $3`,
};

export async function setVideoProgress(sql: Sql, space: string, id: string, progress: number): Promise<void> {
  await sql.run(setProgress, [space, id, progress]);
}

const publish: Statement = {
  name: "video_publish",
  text: `update videos set status = $3, progress = null, error_code = null, error_message = null, duration_s = $4,
      width = $5, height = $6, size_bytes = $7, renditions = $8, poster = $9, storyboard = $10, playback = $11,
      playing_version = $12, playing_folder = $13, last_upload_at = now(), last_sequence = last_sequence + 1
    where space_id = $1 and id = $2 returning ${VIDEO}`,
};

/** A complete and verified version that will play next. */
export interface Publication {
  status: VideoStatus;
  duration_s: number;
  width: number;
  height: number;
  size_bytes: number;
  renditions: Rendition[];
  poster: string | null;
  storyboard: string | null;
  playback: string;
  version: number;
  folder: string;
}

/** Switches playback to the new version and assigns the number of its `video.uploaded` event. */
export async function publishVideo(tx: Sql, video: VideoRow, made: Publication): Promise<VideoRow> {
  const { status, duration_s, width, height, size_bytes, poster, storyboard, playback, version, folder } = made;
  const shown = [status, duration_s, width, height, size_bytes, JSON.stringify(made.renditions)];
  const files = [poster, storyboard, playback, version, folder];
  return (await tx.run<VideoRow>(publish, [video.space_id, video.id, ...shown, ...files]))[0]!;
}

const toClear: Statement = {
  name: "videos_to_clear",
  text: `select space_id, id from videos where deleted_at is not null and files_removed_at is null
    order by deleted_at limit $1`,
};

/** Lists deleted videos whose files may still exist. */
export async function listVideosToClear(sql: Sql, limit: number): Promise<{ space_id: string; id: string }[]> {
  return sql.run(toClear, [limit]);
}

const cleared: Statement = {
  name: "video_cleared",
  text: "update videos set files_removed_at = now() where space_id = $1 and id = $2",
};

export async function markVideoCleared(sql: Sql, space: string, id: string): Promise<void> {
  await sql.run(cleared, [space, id]);
}

const totals: Statement = {
  name: "videos_totals",
  text: `select status, count(*)::bigint as videos, coalesce(sum(size_bytes), 0)::bigint as bytes
    from videos where space_id = $1 and deleted_at is null group by status`,
};

/** Returns the number of videos per status in a space, and the total size of their uploaded files. */
export async function countVideos(
  sql: Sql,
  space: string,
): Promise<{ status: VideoStatus; videos: number; bytes: number }[]> {
  return sql.run(totals, [space]);
}
