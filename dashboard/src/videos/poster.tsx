import { FileWarning, Film, Upload } from "lucide-react";
import type { Video } from "../api/types.ts";
import { classes } from "../ui/classes.ts";
import { localPath } from "./video-queries.ts";

const icons = { waiting: Upload, uploading: Upload, processing: Film, ready: Film, failed: FileWarning };

/**
 * Shows the video's poster, or an icon for its status, at 72×40 px. It is hidden from screen readers, since the row
 * names the status.
 */
export function Poster({ video }: { video: Pick<Video, "status" | "poster_url" | "progress"> }) {
  const { status, poster_url, progress } = video;
  const Icon = icons[status];
  const empty = status === "waiting" && "outline-1 -outline-offset-1 outline-input outline-dashed";
  return (
    <span
      aria-hidden
      className={classes(
        "relative grid h-10 w-18 shrink-0 place-items-center overflow-hidden rounded-tag text-text-2",
        empty || "bg-neutral-tint",
      )}
    >
      {poster_url ? (
        <img src={localPath(poster_url)} alt="" loading="lazy" decoding="async" className="size-full object-cover" />
      ) : (
        <Icon size={16} />
      )}
      {progress !== null && (
        <span
          className="absolute inset-x-0 bottom-0 h-0.5 origin-left bg-accent transition-transform duration-200"
          style={{ transform: `scaleX(${progress / 100})` }}
        />
      )}
    </span>
  );
}
