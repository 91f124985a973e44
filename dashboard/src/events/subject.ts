import type { MaveEvent } from "../api/types.ts";

/** The name of the event's video or webhook at the time of the event. */
export function subjectName({ data, video = "" }: MaveEvent): string {
  if (data === null) return video;
  return (data.object === "video" ? data.name : data.description) || data.id;
}
