import { unixSeconds } from "../kernel/clock.ts";
import { EVENT_TYPES, type EventType } from "../kernel/event-catalog.ts";
import type { Video } from "../videos/video.ts";
import type { Webhook } from "./webhook.ts";

/**
 * The video id in sample events. It is very unlikely to collide with a real id, because there are 62^10 possible ids.
 */
const SAMPLE_VIDEO = "sample0000";

/** Returns the data for a test event: either the webhook itself or a made-up video. */
export function sampleOf(type: EventType, webhook: Webhook, publicUrl: string, now_ms: number): object {
  return EVENT_TYPES[type].about === "webhook" ? webhook : sampleVideo(type, publicUrl, unixSeconds(now_ms));
}

function sampleVideo(type: EventType, publicUrl: string, now: number): Video {
  const ready = type === "video.uploaded" || type === "video.deleted";
  const failed = type === "video.failed";
  const status = ready ? "ready" : failed ? "failed" : type === "video.processing" ? "processing" : "waiting";
  return {
    id: SAMPLE_VIDEO,
    object: "video",
    created: now,
    embed_url: `${publicUrl}/${SAMPLE_VIDEO}`,
    last_upload: ready ? now : null,
    name: "A sample video",
    status,
    progress: status === "processing" ? 0 : null,
    error: failed ? { code: "MEDIA_UNREADABLE", message: "Sample error: the file is not a video." } : null,
    duration: ready ? 5 : null,
    width: ready ? 1280 : null,
    height: ready ? 720 : null,
    size: ready ? 1_048_576 : null,
    poster_url: null,
    playback_url: null,
    renditions: [],
    metadata: { sample: "true" },
  };
}
