/** The API's objects as the pages use them. Every time is a Unix time in whole seconds; ids are short UUIDs. */

export interface List<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  next: string | null;
}

export type VideoStatus = "waiting" | "uploading" | "processing" | "ready" | "failed";
export interface Video {
  id: string;
  object: "video";
  created: number;
  embed_url: string;
  last_upload: number | null;
  name: string | null;
  status: VideoStatus;
  progress: number | null;
  error: { code: string; message: string } | null;
  duration: number | null;
  width: number | null;
  height: number | null;
  size: number | null;
  poster_url: string | null;
  playback_url: string | null;
  renditions: { name: string; width: number; height: number; bitrate: number }[];
  metadata: Record<string, string>;
}

export interface Webhook {
  id: string;
  object: "webhook";
  created: number;
  url: string;
  description: string | null;
  events: string[];
  status: "enabled" | "paused" | "disabled";
  status_reason: string | null;
  status_since: number;
  ordering: "video" | "none";
  rate_limit: number | null;
  headers: Record<string, string>;
  secret_hint: string;
  secret_since: number;
  previous_secret_until: number | null;
  failing_since: number | null;
  disables_at: number | null;
  secret?: string;
}

export interface WebhookSecret {
  object: "secret";
  secret: string;
  previous_secret: string | null;
  previous_secret_until: number | null;
}

interface Percentiles {
  p50: number | null;
  p95: number | null;
}
export interface HealthHour {
  hour: number;
  succeeded: number;
  failed: number;
  p50: number | null;
  p95: number | null;
}
export interface Health {
  object: "webhook_health";
  webhook: string;
  success_rate: number | null;
  succeeded: number;
  failed: number;
  response_ms: Percentiles;
  phases: Record<"dns" | "connect" | "tls" | "first_byte" | "total", Percentiles>;
  errors: { word: string; count: number }[];
  open: number;
  oldest_open: number | null;
  failing_since: number | null;
  disables_at: number | null;
  certificate_until: number | null;
  hours: HealthHour[];
}

export interface MaveEvent {
  id: string;
  object: "event";
  type: string;
  created: number;
  sequence: number;
  data: { id: string; object: string; name?: string | null } & Record<string, unknown>;
}

export interface EventType {
  object: "event_type";
  type: string;
  about: "video" | "webhook";
  core: boolean;
  occurs: string;
}

export type DeliveryStatus = "waiting" | "sending" | "retrying" | "held" | "succeeded" | "failed" | "canceled";
export interface Delivery {
  id: string;
  object: "delivery";
  created: number;
  webhook: string;
  event: string;
  type: string;
  video: string | null;
  sequence: number;
  previous: number;
  status: DeliveryStatus;
  reason: string | null;
  attempts: number;
  max_attempts: number;
  next_attempt: number | null;
  last_attempt: { started: number; status: number | null; error: string | null; took_ms: number | null } | null;
  waits_for: string | null;
}

export interface Timings {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  first_byte: number | null;
  total: number | null;
  reused: boolean;
}
export interface Answer {
  headers: [name: string, value: string][];
  body: string;
  encoding: "utf8" | "base64";
  bytes: number;
  cut: boolean;
}
export interface Attempt {
  object: "attempt";
  number: number;
  started: number;
  started_ms: number;
  outcome: "succeeded" | "retry" | "failed" | "canceled";
  url: string;
  status: number | null;
  error: { word: string; code: string | null; message: string } | null;
  note: string | null;
  timings: Timings;
  address: string | null;
  request: { headers: Record<string, string>; body: string };
  answer: Answer | null;
}
export interface DeliveryWithLog extends Delivery {
  log: Attempt[];
}

export interface Replay {
  object: "replay";
  id: string | null;
  webhook: string;
  since: number;
  until: number;
  statuses: string[] | null;
  types: string[] | null;
  video: string | null;
  rate: number | null;
  status: "running" | "paused" | "done" | "canceled" | "dry_run";
  total: number;
  done: number;
  first: number | null;
  last: number | null;
  created: number;
  finished: number | null;
}

export interface ApiKey {
  id: string;
  object: "api_key";
  created: number;
  name: string;
  scope: "read" | "write";
  hint: string;
  last_used: number | null;
  key?: string;
}

export interface Session {
  object: "session";
  user: { id: string; name: string; email: string };
  space: { id: string; name: string };
}

export interface Member {
  id: string;
  object: "member";
  created: number;
  name: string;
  email: string;
  role: "owner" | "member";
}

export interface Overview {
  object: "overview";
  version: string;
  public_url: string;
  webhooks: { total: number; failing: number; disabled: number };
  deliveries: { open: number; per_second: number };
  videos: { total: number; bytes: number } & Record<VideoStatus, number>;
  ffmpeg: { available: boolean; version: string | null; hint: string | null };
  limits: { retention_days: number; upload_bytes: number };
}

export interface AuditEntry {
  id: string;
  object: "audit_entry";
  created: number;
  action: string;
  actor: string;
  address: string | null;
  subject: string | null;
  details: Record<string, unknown>;
}
