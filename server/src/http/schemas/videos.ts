import { type Static, Type } from "typebox";
import { LIMITS } from "../../kernel/limits.ts";
import {
  body,
  integer,
  integerOrNull,
  listOf,
  numberOrNull,
  objectWord,
  page,
  resource,
  text,
  textOrNull,
  texts,
  time,
  timeOrNull,
  videoId,
  word,
} from "./common.ts";

export const VIDEO_STATUSES = ["waiting", "uploading", "processing", "ready", "failed"] as const;

const Rendition = Type.Object({
  name: text("For example `720p`."),
  width: integer("Pixels."),
  height: integer("Pixels."),
  bitrate: integer("Bits per second."),
});

/** The first five fields must keep their names and types, because they are part of the wire format of events. */
export const Video = resource("Video", "A video embed. It exists even before a file is uploaded.", {
  id: videoId(),
  object: objectWord("video"),
  created: time("When the video was created."),
  embed_url: text("The page that plays the video.", { examples: ["https://videos.example.com/k1iFD7h4rW"] }),
  last_upload: timeOrNull("When the playable file was uploaded; null before the first upload."),
  name: textOrNull("Display name."),
  status: word(VIDEO_STATUSES, {
    description: "A playable video stays `ready` while a new file is processed.",
  }),
  progress: integerOrNull("Processing progress in percent, from 0 to 100."),
  error: Type.Unsafe<{ code: string; message: string } | null>({
    type: ["object", "null"],
    description: "Why the latest file is not playable.",
    properties: {
      code: { type: "string", description: "A stable code." },
      message: { type: "string", description: "A human-readable explanation." },
    },
    required: ["code", "message"],
  }),
  duration: numberOrNull("Seconds."),
  width: integerOrNull("Pixels."),
  height: integerOrNull("Pixels."),
  size: integerOrNull("Size of the uploaded file in bytes."),
  poster_url: textOrNull("Poster image."),
  playback_url: textOrNull("HLS playlist."),
  renditions: Type.Array(Rendition, { description: "The playable streams, with their sizes and bit rates." }),
  metadata: texts("Your own keys and values."),
});
export type Video = Static<typeof Video>;
export const VideoList = listOf(Video);

const name = textOrNull("Display name.", { maxLength: LIMITS.NAME_CHARACTERS_MAX });
const metadata = texts("Your own keys and values.", {
  keys: LIMITS.METADATA_KEYS_MAX,
  key: LIMITS.METADATA_KEY_CHARACTERS_MAX,
  value: LIMITS.METADATA_VALUE_CHARACTERS_MAX,
});

export const VideoCreate = body(
  { name: Type.Optional(name), metadata: Type.Optional(metadata) },
  { $id: "VideoCreate", description: "The new video." },
);
export const VideoUpdate = body(
  { name: Type.Optional(name), metadata: Type.Optional(metadata) },
  {
    $id: "VideoUpdate",
    description: "The fields to change. `metadata` replaces all previous metadata.",
    minProperties: 1,
  },
);
export const VideoQuery = body({
  ...page,
  status: Type.Optional(word(VIDEO_STATUSES, { description: "Only videos with this status." })),
  q: Type.Optional(
    text("Only videos whose name contains this text or whose id equals it.", {
      maxLength: LIMITS.NAME_CHARACTERS_MAX,
    }),
  ),
});

export const UploadToken = resource("UploadToken", "Allows a browser to upload a file to one video.", {
  object: objectWord("upload_token"),
  video: videoId(),
  token: text("The token itself. Send it as `Authorization: Bearer …`. Shown only once."),
  expires: time("When the token expires."),
  upload_url: text("The tus URL for the upload."),
});
