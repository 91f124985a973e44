import type { MaveEvent } from "../api/types.ts";

/** What people call the video or webhook that an event is about, as it was named then. */
export function subjectName({ data, video = "" }: MaveEvent): string {
  if (data === null) return video;
  return (data.object === "video" ? data.name : data.description) || data.id;
}
