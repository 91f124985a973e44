import type { Sql, Statement } from "./db.ts";

export const UPLOAD_STATES = ["receiving", "received", "processing"] as const;

export interface UploadQueue {
  counts: Record<(typeof UPLOAD_STATES)[number], number>;
  /** How long the oldest upload has been waiting for processing, in seconds; 0 if none are waiting. */
  oldest_received_s: number;
}

/** Served by the partial indexes uploads_to_process and uploads_receiving, which cover only uploads in these states. */
const MEASURE: Statement = {
  name: "upload_queue",
  text: `select (select count(*) from uploads where state = 'receiving') as receiving,
      count(*) filter (where state = 'received') as received,
      count(*) filter (where state = 'processing') as processing,
      coalesce(extract(epoch from now() - min(received_at) filter (where state = 'received')), 0)::float8 as oldest_received_s
    from uploads where state in ('received', 'processing')`,
};

export async function measureUploads(sql: Sql): Promise<UploadQueue> {
  type Row = UploadQueue["counts"] & Pick<UploadQueue, "oldest_received_s">;
  const { oldest_received_s, ...counts } = (await sql.run<Row>(MEASURE))[0]!;
  return { counts, oldest_received_s };
}
