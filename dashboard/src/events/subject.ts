import type { MaveEvent } from "../api/types.ts";

/** Returns the name that the event's video or webhook had when the event occurred. */
export function subjectName({ data, video = "" }: MaveEvent): string {
  if (data === null) return video;
  return (data.object === "video" ? data.name : data.description) || data.id;
}
