/** What arrives: one type for each event of Mave's catalog, told apart by `type`. All times are Unix seconds. */

export type VideoStatus = "waiting" | "uploading" | "processing" | "ready" | "failed";

/** A video as it was when the event happened. New fields may be added; the first five never change. */
export interface VideoData {
  id: string;
  object: "video";
  created: number;
  embed_url: string;
  last_upload: number | null;
  name: string | null;
  status: VideoStatus;
  /** 0–100 while a file is processed, else null. */
  progress: number | null;
  error: { code: string; message: string } | null;
  /** Seconds. */
  duration: number | null;
  width: number | null;
  height: number | null;
  /** Bytes. */
  size: number | null;
  poster_url: string | null;
  playback_url: string | null;
  renditions: { name: string; width: number; height: number; bitrate: number }[];
  /** The caller's own keys and values. */
  metadata: Record<string, string>;
}

/** A webhook, as the API shows it: what operational events are about. */
export interface WebhookData {
  id: string;
  object: "webhook";
  created: number;
  url: string;
  description: string | null;
  events: EventType[];
  status: "enabled" | "paused" | "disabled";
  status_reason: string | null;
  status_since: number;
  /** `video`: the events of one video arrive in sequence. */
  ordering: "video" | "none";
  /** Deliveries per second at most; null: no limit. */
  rate_limit: number | null;
  /** Names of its own headers; the values are hidden. */
  headers: Record<string, string>;
  /** The last characters of its secret. */
  secret_hint: string;
  secret_since: number;
  /** The last characters of the secret before this one, while it signs too. */
  previous_secret_hint: string | null;
  /** Until when the secret before this one signs too. */
  previous_secret_until: number | null;
  /** The first failure after the last success. */
  failing_since: number | null;
  /** When it will be disabled if nothing succeeds until then. */
  disables_at: number | null;
}

interface Event<Type extends string, Data> {
  /** The same for every webhook and every attempt: the one to tell duplicates by. */
  id: string;
  object: "event";
  type: Type;
  created: number;
  data: Data;
}

export type VideoCreated = Event<"video.created", VideoData>;
export type VideoUploaded = Event<"video.uploaded", VideoData>;
export type VideoDeleted = Event<"video.deleted", VideoData>;
export type VideoProcessing = Event<"video.processing", VideoData>;
export type VideoFailed = Event<"video.failed", VideoData>;
export type WebhookFailing = Event<"webhook.failing", WebhookData>;
export type WebhookDisabled = Event<"webhook.disabled", WebhookData>;
export type WebhookTest = Event<"webhook.test", WebhookData>;

export type MaveEvent =
  | VideoCreated
  | VideoUploaded
  | VideoDeleted
  | VideoProcessing
  | VideoFailed
  | WebhookFailing
  | WebhookDisabled
  | WebhookTest;

export type EventType = MaveEvent["type"];
