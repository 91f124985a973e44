/** The events that Mave sends, as a union discriminated by `type`. All times are in Unix seconds. */

export type VideoStatus = "waiting" | "uploading" | "processing" | "ready" | "failed";

/**
 * A snapshot of the video at the time of the event. New fields may be added, but the first five fields never change.
 */
export interface VideoData {
  id: string;
  object: "video";
  created: number;
  embed_url: string;
  last_upload: number | null;
  name: string | null;
  status: VideoStatus;
  /** Percentage from 0 to 100 while a file is being processed; otherwise null. */
  progress: number | null;
  error: { code: string; message: string } | null;
  /** In seconds. */
  duration: number | null;
  width: number | null;
  height: number | null;
  /** In bytes. */
  size: number | null;
  poster_url: string | null;
  playback_url: string | null;
  renditions: { name: string; width: number; height: number; bitrate: number }[];
  /** Custom key-value pairs set through the API. */
  metadata: Record<string, string>;
}

/** The webhook that an operational event is about, as the API returns it. */
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
  /** If `video`, each video's events are delivered in sequence. */
  ordering: "video" | "none";
  /** Maximum deliveries per second; null for no limit. */
  rate_limit: number | null;
  /** Custom request headers; the values are masked. */
  headers: Record<string, string>;
  /** The last characters of the secret. */
  secret_hint: string;
  secret_since: number;
  /** The last characters of the previous secret while it is still valid. */
  previous_secret_hint: string | null;
  /** When the previous secret stops being valid. */
  previous_secret_until: number | null;
  /** Time of the first failure since the last success. */
  failing_since: number | null;
  /** When the webhook will be disabled if no delivery succeeds first. */
  disables_at: number | null;
  /** Until when nothing is sent, because the receiver asked to wait (Retry-After). */
  waits_until: number | null;
}

interface Event<Type extends string, Data> {
  /** The same for every webhook and attempt. Use it to detect duplicates. */
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
