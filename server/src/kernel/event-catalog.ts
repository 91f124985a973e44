/**
 * The event catalog: every type, what it is about and when it occurs. This one file feeds validation, JSON Schemas,
 * OpenAPI, the dashboard's picker, the SDK's types and the docs; a test holds them together.
 */
export const EVENT_TYPES = {
  "video.created": {
    about: "video",
    core: true,
    occurs: "A video embed is created, in the dashboard or through the API.",
  },
  "video.uploaded": {
    about: "video",
    core: true,
    occurs: "An uploaded file is completely processed and ready to play; last_upload has been updated.",
  },
  "video.deleted": {
    about: "video",
    core: true,
    occurs: "A video embed is deleted, in the dashboard or through the API.",
  },
  "video.processing": {
    about: "video",
    core: false,
    occurs: "An upload has been received whole and processing has begun.",
  },
  "video.failed": {
    about: "video",
    core: false,
    occurs: "Processing ended without a playable video; data.error says why.",
  },
  "webhook.failing": {
    about: "webhook",
    core: false,
    occurs:
      "Every attempt to another webhook of this space has failed for half of the time after which it is disabled.",
  },
  "webhook.disabled": {
    about: "webhook",
    core: false,
    occurs: "Another webhook of this space was disabled; data is that webhook, with the reason.",
  },
  "webhook.test": {
    about: "webhook",
    core: false,
    occurs: "A test was sent from the dashboard or through the API. It reaches only the tested webhook.",
  },
} as const satisfies Record<string, { about: "video" | "webhook"; core: boolean; occurs: string }>;

export type EventType = keyof typeof EVENT_TYPES;

export const isEventType = (word: string): word is EventType => Object.hasOwn(EVENT_TYPES, word);
