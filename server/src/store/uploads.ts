import type { Sql, Statement } from "./db.ts";
import type { Session } from "./session.ts";

/** The first key of every processor's advisory lock; the second is a hash of the lease token. */
const MARK_LOCK = 7_021_810;

export type UploadState = "receiving" | "received" | "processing" | "published" | "failed" | "canceled";

export interface UploadRow {
  space_id: string;
  video_id: string;
  version: number;
  id: string;
  state: UploadState;
  resumable: boolean;
  file_name: string | null;
  size_bytes: number | null;
  attempt: number;
  error_code: string | null;
  created_at: Date;
}

const UPLOAD =
  "space_id, video_id, version, id, state, resumable, file_name, size_bytes, attempt, error_code, created_at";

const insert: Statement = {
  name: "upload_insert",
  text: `insert into uploads (space_id, video_id, version, id, state, resumable, file_name, size_bytes)
    values ($1, $2, $3, $4, 'receiving', $5, $6, $7)`,
};

/** Inserts a new upload. `size_bytes` is the declared size, or null if the uploader does not know it yet. */
export async function insertUpload(
  tx: Sql,
  upload: {
    space: string;
    video: string;
    version: number;
    id: string;
    resumable: boolean;
    file_name: string | null;
    size_bytes: number | null;
  },
): Promise<void> {
  const { space, video, version, id, resumable, file_name, size_bytes } = upload;
  await tx.run(insert, [space, video, version, id, resumable, file_name, size_bytes]);
}

const get: Statement = { name: "upload_get", text: `select ${UPLOAD} from uploads where id = $1` };

export async function getUpload(sql: Sql, id: string): Promise<UploadRow | undefined> {
  return (await sql.run<UploadRow>(get, [id]))[0];
}

const countOpen: Statement = {
  name: "uploads_count_open",
  text: "select count(*) as open from uploads where space_id = $1 and state = 'receiving'",
};

/** Counts the uploads in this space that are being received. Served by uploads_receiving. */
export async function countReceiving(sql: Sql, space: string): Promise<number> {
  return (await sql.run<{ open: number }>(countOpen, [space]))[0]!.open;
}

const received: Statement = {
  name: "upload_received",
  text: `update uploads set state = 'received', size_bytes = $2, received_at = now()
    where id = $1 and state = 'receiving' returning ${UPLOAD}`,
};

/**
 * Marks an upload as received. This is the only transition out of `receiving` other than a cancellation.
 * @returns undefined if another call was faster or the upload has ended
 */
export async function markReceived(tx: Sql, id: string, size_bytes: number): Promise<UploadRow | undefined> {
  return (await tx.run<UploadRow>(received, [id, size_bytes]))[0];
}

const cancelParts: Statement = {
  name: "uploads_cancel_receiving",
  text: `update uploads set state = 'canceled', finished_at = now()
    where space_id = $1 and video_id = $2 and state = 'receiving' returning id`,
};

/** Cancels the video's uploads that have not been fully received. @returns their ids */
export async function cancelReceiving(tx: Sql, space: string, video: string): Promise<string[]> {
  return (await tx.run<{ id: string }>(cancelParts, [space, video])).map(({ id }) => id);
}

const cancelOne: Statement = {
  name: "upload_cancel",
  text: `update uploads set state = 'canceled', finished_at = now()
    where id = $1 and state = 'receiving' returning ${UPLOAD}`,
};

/** Cancels one upload that has not been fully received. */
export async function cancelUpload(tx: Sql, id: string): Promise<UploadRow | undefined> {
  return (await tx.run<UploadRow>(cancelOne, [id]))[0];
}

const declare: Statement = {
  name: "upload_declare_size",
  text: "update uploads set size_bytes = $2 where id = $1 and state = 'receiving' and size_bytes is null",
};

/** Sets the size of a file if the uploader did not know it when the upload started. */
export async function declareUploadSize(sql: Sql, id: string, size_bytes: number): Promise<void> {
  await sql.run(declare, [id, size_bytes]);
}

const beingProcessed: Statement = {
  name: "uploads_being_processed",
  text: `select 1 from uploads where space_id = $1 and video_id = $2 and state in ('received', 'processing') limit 1`,
};

/** Whether any file of this video is waiting for processing or being processed. */
export async function isBeingProcessed(sql: Sql, space: string, video: string): Promise<boolean> {
  return (await sql.run(beingProcessed, [space, video])).length > 0;
}

const cancelAll: Statement = {
  name: "uploads_cancel_all",
  text: `update uploads set state = 'canceled', finished_at = now(), lease_token = null
    where space_id = $1 and video_id = $2 and state in ('receiving', 'received', 'processing')`,
};

/**
 * Cancels every upload of a video that is being deleted. A processor notices the cancellation at its next heartbeat.
 */
export async function cancelUploads(tx: Sql, space: string, video: string): Promise<void> {
  await tx.run(cancelAll, [space, video]);
}

const receiving: Statement = {
  name: "uploads_receiving",
  text: `select ${UPLOAD} from uploads where state = 'receiving' order by space_id, created_at limit $1`,
};

export async function listReceiving(sql: Sql, limit: number): Promise<UploadRow[]> {
  return sql.run<UploadRow>(receiving, [limit]);
}

/**
 * Whether the upload's processor is presumed dead: the lease has expired, or no session holds the processor's advisory
 * lock. A released upload has no token, and can be claimed once `leased_until` has passed.
 */
const LEFT = `state = 'processing' and (leased_until < now() or lease_token is not null and not exists (
  select from pg_locks where locktype = 'advisory' and classid = ${MARK_LOCK} and objid::integer = hashtext(lease_token::text)
    and objsubid = 2 and database = (select oid from pg_database where datname = current_database())))`;

// Served by uploads_to_process. Versions of one video are processed one after another, so that the newest one ends up
// playing.
const toProcess: Statement = {
  name: "uploads_to_process",
  text: `select ${UPLOAD} from uploads u
    where (state = 'received' or ${LEFT})
      and not exists (select 1 from uploads e where e.space_id = u.space_id and e.video_id = u.video_id
        and e.version < u.version and e.state in ('received', 'processing'))
    order by received_at limit $1`,
};

/** Lists uploads that are waiting for a processor, or whose processor is presumed dead. */
export async function listToProcess(sql: Sql, limit: number): Promise<UploadRow[]> {
  return sql.run<UploadRow>(toProcess, [limit]);
}

const claim: Statement = {
  name: "upload_claim",
  text: `update uploads set state = 'processing', attempt = attempt + 1, lease_token = $2,
      leased_until = now() + $3 * interval '1 ms'
    where id = $1 and (state = 'received' or ${LEFT}) returning ${UPLOAD}`,
};

const mark: Statement = {
  name: "upload_mark",
  text: `select case when $2 then pg_advisory_xact_lock(${MARK_LOCK}, hashtext($1::text))
    else pg_advisory_lock(${MARK_LOCK}, hashtext($1::text)) end`,
};

/**
 * Locks this token until the session ends, to show that the processor is alive. Call this before claiming the upload.
 */
export async function markLease(session: Session, token: string): Promise<void> {
  await session.lock(mark, [token]);
}

/** Leases an upload for processing. @returns undefined if another processor was faster */
export async function claimUpload(
  tx: Sql,
  id: string,
  token: string,
  lease_ms: number,
): Promise<UploadRow | undefined> {
  return (await tx.run<UploadRow>(claim, [id, token, lease_ms]))[0];
}

const renew: Statement = {
  name: "upload_renew_lease",
  text: `update uploads set leased_until = now() + $3 * interval '1 ms'
    where id = $1 and lease_token = $2 and state = 'processing' returning 1`,
};

/** Renews the lease. @returns false if it was lost or the upload was canceled, in which case the processor must stop */
export async function renewLease(tx: Sql, id: string, token: string, lease_ms: number): Promise<boolean> {
  return (await tx.run(renew, [id, token, lease_ms])).length > 0;
}

const release: Statement = {
  name: "upload_release",
  text: `update uploads set lease_token = null, leased_until = now() + $3 * interval '1 ms', attempt = attempt - $4
    where id = $1 and lease_token = $2 and state = 'processing'`,
};

/**
 * Releases an upload, so that it can be claimed again after `wait_ms`.
 * @param counted whether this attempt counts toward the maximum
 */
export async function releaseUpload(
  sql: Sql,
  id: string,
  token: string,
  { wait_ms, counted }: { wait_ms: number; counted: boolean },
): Promise<void> {
  await sql.run(release, [id, token, wait_ms, counted ? 0 : 1]);
}

const finish: Statement = {
  name: "upload_finish",
  text: `update uploads set state = $3, media = $4, error_code = $5, error_message = $6, finished_at = now(),
      lease_token = null
    where id = $1 and lease_token = $2 and state = 'processing' returning ${UPLOAD}`,
};

/** How processing ended. `media` is the probe's result and the files made from the upload. */
export interface Outcome {
  state: "published" | "failed";
  media: unknown;
  error: { code: string; message: string } | null;
}

/**
 * Ends processing. Apart from a cancellation, this is the only transition out of `processing`.
 * @returns undefined if the lease was lost, in which case nothing changes
 */
export async function finishUpload(
  tx: Sql,
  id: string,
  token: string,
  outcome: Outcome,
): Promise<UploadRow | undefined> {
  const error = [outcome.error?.code ?? null, outcome.error?.message ?? null];
  const media = outcome.media === null ? null : JSON.stringify(outcome.media);
  return (await tx.run<UploadRow>(finish, [id, token, outcome.state, media, ...error]))[0];
}

const requeue: Statement = {
  name: "uploads_requeue",
  text: `update uploads u set state = 'received', attempt = 0, error_code = null, error_message = null, finished_at = null
    from videos v where v.space_id = u.space_id and v.id = u.video_id and v.deleted_at is null
      and u.version = v.last_version and u.state = 'failed' and u.error_code = $1 and u.files_removed_at is null
    returning u.space_id, u.video_id, u.version`,
};

/** Requeues the uploads that failed with this error, after its cause has been fixed. */
export async function requeueUploads(
  sql: Sql,
  errorCode: string,
): Promise<{ space_id: string; video_id: string; version: number }[]> {
  return sql.run(requeue, [errorCode]);
}

// An older version's media is kept for a while, because viewers may still be watching it. A file that may still be
// processed is kept, too.
const toClear: Statement = {
  name: "uploads_to_clear",
  text: `select u.space_id, u.video_id, u.version, u.id, u.state, u.resumable, u.file_name, u.size_bytes,
      u.attempt, u.error_code, u.created_at
    from uploads u join videos v on v.space_id = u.space_id and v.id = u.video_id
    where u.state in ('published', 'failed', 'canceled') and u.files_removed_at is null
      and (v.deleted_at is not null or (u.version is distinct from v.playing_version
        and (u.state <> 'published' or v.last_upload_at < now() - $2 * interval '1 ms')
        and not (u.state = 'failed' and u.error_code = $3 and u.version = v.last_version)))
    order by u.finished_at limit $1`,
};

/**
 * Lists uploads whose files are no longer needed.
 * @param grace_ms how long a replaced version is kept
 * @param keptError if the newest upload failed with this error code, its file is kept so that processing can be retried
 */
export async function listUploadsToClear(
  sql: Sql,
  limit: number,
  { grace_ms, keptError }: { grace_ms: number; keptError: string },
): Promise<UploadRow[]> {
  return sql.run<UploadRow>(toClear, [limit, grace_ms, keptError]);
}

const cleared: Statement = {
  name: "upload_cleared",
  text: "update uploads set files_removed_at = now() where id = $1",
};

export async function markUploadCleared(sql: Sql, id: string): Promise<void> {
  await sql.run(cleared, [id]);
}

const known: Statement = {
  name: "uploads_known",
  text: `select id, state, error_code from uploads where id = any($1)`,
};

/** Returns the states of these uploads for the clean-up, which has found their files. Unknown ids are omitted. */
export async function getUploadStates(
  sql: Sql,
  ids: string[],
): Promise<{ id: string; state: UploadState; error_code: string | null }[]> {
  return sql.run(known, [ids]);
}
