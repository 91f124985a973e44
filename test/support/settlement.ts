import type { LeaseKey } from "../../server/src/store/queue/key.ts";
import type { Settlement } from "../../server/src/store/queue/settle.ts";

/** Builds the settlement of a leased delivery. It is successful by default; `more` overrides its fields. */
export function settlement(row: LeaseKey, more: Partial<Settlement> = {}): Settlement {
  const { space_id, webhook_id, video_id, sequence, attempt } = row;
  const key = { space_id, webhook_id, video_id, sequence, attempt };
  const none = { reason: null, error: null, error_code: null, note: null, response_headers: null, response_body: null };
  const made = {
    started_ms: Date.now(),
    duration_ms: 3,
    url: "https://r.example.com/",
    status: 200,
    response_bytes: 0,
  };
  const rest = {
    outcome: "succeeded",
    delay_ms: 0,
    step: 0,
    immediate: false,
    timings: "{}",
    request_headers: "{}",
  } as const;
  return { ...key, ...none, ...made, ...rest, ...more };
}
