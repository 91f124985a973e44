/**
 * The event catalog: every type, its `data`, and when it occurs. Validation, the JSON Schemas, OpenAPI, and the
 * dashboard's picker are derived from it; a contract test compares it with the SDK's types and the docs.
 */
export const EVENT_TYPES = {
  "video.created": {
    about: "video",
    core: true,
    occurs: "A video embed is created in the dashboard or through the API.",
  },
  "video.uploaded": {
    about: "video",
    core: true,
    occurs: "An uploaded file is completely processed and ready to play, and last_upload has been updated.",
  },
  "video.deleted": {
    about: "video",
    core: true,
    occurs: "A video embed is deleted in the dashboard or through the API.",
  },
  "video.processing": {
    about: "video",
    core: false,
    occurs: "An upload is complete and its processing has begun.",
  },
  "video.failed": {
    about: "video",
    core: false,
    occurs: "Processing ended without a playable video. data.error contains the reason.",
  },
  "webhook.failing": {
    about: "webhook",
    core: false,
    occurs: "Every attempt to another webhook in the space is failing, and that webhook is halfway to being disabled.",
  },
  "webhook.disabled": {
    about: "webhook",
    core: false,
    occurs: "Another webhook in the space was disabled. data is that webhook, including the reason.",
  },
  "webhook.test": {
    about: "webhook",
    core: false,
    occurs: "A test event was sent from the dashboard or through the API. Only the tested webhook receives it.",
  },
} as const satisfies Record<string, { about: "video" | "webhook"; core: boolean; occurs: string }>;

export type EventType = keyof typeof EVENT_TYPES;

export const isEventType = (text: string): text is EventType => Object.hasOwn(EVENT_TYPES, text);
