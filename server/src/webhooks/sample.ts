import { unixSeconds } from "../kernel/clock.ts";
import { EVENT_TYPES, type EventType } from "../kernel/event-catalog.ts";
import type { Video } from "../videos/video.ts";
import type { Webhook } from "./webhook.ts";

/** The id of the video in samples. No real one has it: real ids are drawn from 62^10, and it would be found nowhere. */
const SAMPLE_VIDEO = "sample0000";

/** What a test of this event type carries: the webhook itself, or a video that does not exist. */
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
    error: failed ? { code: "MEDIA_UNREADABLE", message: "This is a sample of a file that is no video." } : null,
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
