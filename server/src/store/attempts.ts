import type { Sql, Statement } from "./db.ts";

export interface AttemptRow {
  attempt: number;
  outcome: "succeeded" | "retry" | "failed" | "canceled";
  started_at: Date;
  url: string;
  response_status: number | null;
  error: string | null;
  error_code: string | null;
  note: string | null;
  timings: {
    dns: number | null;
    connect: number | null;
    tls: number | null;
    first_byte: number | null;
    total: number | null;
    reused: boolean;
    address: string | null;
  } | null;
  request_headers: Record<string, string> | null;
  response_headers: [name: string, value: string][] | null;
  response_body: Buffer | null;
  response_bytes: number | null;
}

// Served by attempts_pkey; the time in the delivery's id selects the partition.
const list: Statement = {
  name: "attempts_list",
  text: `select attempt, outcome, started_at, url, response_status, error, error_code, note, timings, request_headers,
      response_headers, response_body, response_bytes
    from attempts where space_id = $1 and delivery_id = $2 order by attempt`,
};

/** Returns all of a delivery's attempts, oldest first. */
export async function listAttempts(sql: Sql, space: string, delivery: string): Promise<AttemptRow[]> {
  return sql.run<AttemptRow>(list, [space, delivery]);
}
