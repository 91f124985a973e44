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
  name: text("Such as 720p."),
  width: integer("Pixels."),
  height: integer("Pixels."),
  bitrate: integer("Bits per second."),
});

/** The first five fields never change: they are the wire format of events too. */
export const Video = resource("Video", "A video embed. It exists from its creation, before any file is uploaded.", {
  id: videoId(),
  object: objectWord("video"),
  created: time("When it was created."),
  embed_url: text("The page that plays it.", { examples: ["https://videos.example.com/k1iFD7h4rW"] }),
  last_upload: timeOrNull("When the file that plays was uploaded; null before the first."),
  name: textOrNull("What people call it."),
  status: word(VIDEO_STATUSES, {
    description: "Where it is. While a new file for a video that plays is processed, this stays `ready`.",
  }),
  progress: integerOrNull("0 to 100 while a file is processed."),
  error: Type.Unsafe<{ code: string; message: string } | null>({
    type: ["object", "null"],
    description: "Why the newest file did not become playable.",
    properties: {
      code: { type: "string", description: "A stable word." },
      message: { type: "string", description: "A sentence for people." },
    },
    required: ["code", "message"],
  }),
  duration: numberOrNull("Seconds."),
  width: integerOrNull("Pixels."),
  height: integerOrNull("Pixels."),
  size: integerOrNull("Bytes of the uploaded file."),
  poster_url: textOrNull("A picture of it."),
  playback_url: textOrNull("Its HLS playlist."),
  renditions: Type.Array(Rendition, { description: "The sizes in which it plays." }),
  metadata: texts("Your own keys and values."),
});
export type Video = Static<typeof Video>;
export const VideoList = listOf(Video);

const name = textOrNull("What people call it.", { maxLength: LIMITS.NAME_CHARACTERS_MAX });
const metadata = texts("Your own keys and values.", {
  keys: LIMITS.METADATA_KEYS_MAX,
  key: LIMITS.METADATA_KEY_CHARACTERS_MAX,
  value: LIMITS.METADATA_VALUE_CHARACTERS_MAX,
});

export const VideoCreate = body(
  { name: Type.Optional(name), metadata: Type.Optional(metadata) },
  { $id: "VideoCreate", description: "A new video." },
);
export const VideoUpdate = body(
  { name: Type.Optional(name), metadata: Type.Optional(metadata) },
  { $id: "VideoUpdate", description: "What to change. Metadata is replaced as a whole.", minProperties: 1 },
);
export const VideoQuery = body({
  ...page,
  status: Type.Optional(word(VIDEO_STATUSES, { description: "Only these." })),
  q: Type.Optional(text("Part of a name, or an id.", { maxLength: LIMITS.NAME_CHARACTERS_MAX })),
});

export const UploadToken = resource("UploadToken", "Lets a browser upload one file to one video.", {
  object: objectWord("upload_token"),
  video: videoId(),
  token: text("Send it as `Authorization: Bearer …`, or as the tus metadata `token`. Shown once."),
  expires: time("When it stops working."),
  upload_url: text("Where a tus client sends the file."),
});
