import type { MaveEvent } from "../api/types.ts";

/** Returns the name that the event's video or webhook had at the time of the event. */
export function subjectName({ data, video = "" }: MaveEvent): string {
  if (data === null) return video;
  return (data.object === "video" ? data.name : data.description) || data.id;
}
