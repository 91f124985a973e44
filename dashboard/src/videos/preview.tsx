import { CircleX, Upload } from "lucide-react";
import type { Video } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Progress } from "../ui/progress.tsx";
import { titleOf } from "./video-queries.ts";

/** Shows the player, or explains why there is none yet. */
export function VideoPreview({ video, onUpload }: { video: Video; onUpload: () => Promise<void> }) {
  if (video.playback_url === null) return <Placeholder video={video} onUpload={onUpload} />;
  return (
    <div className="flex flex-col gap-3">
      <Player video={video} />
      {video.progress !== null && (
        <div>
          <Progress done={video.progress} total={100} />
          <p className="mt-2 text-text-2 numbers">
            Processing the new file: {video.progress}%. The current version plays until it is ready.
          </p>
        </div>
      )}
      {video.error && (
        <p role="alert" className="rounded-panel bg-bad-tint px-4 py-3 text-bad">
          The new file was rejected, so the previous version still plays. {video.error.message}
        </p>
      )}
    </div>
  );
}

/** Shows the embed page, exactly as it appears on other sites. */
function Player({ video }: { video: Video }) {
  const { id, width, height, last_upload } = video;
  const ratio = width && height ? width / height : 16 / 9;
  return (
    <iframe
      key={last_upload} // reloads the embed page once a new file has been processed
      src={`/${id}`}
      title={`Player: ${titleOf(video)}`}
      allow="autoplay; fullscreen; picture-in-picture; encrypted-media"
      allowFullScreen
      className="block max-h-[max(320px,68dvh)] w-full rounded-panel border-0 bg-black"
      style={{ aspectRatio: ratio }}
    />
  );
}

const box =
  "flex aspect-video max-h-105 w-full flex-col items-center justify-center gap-3 rounded-panel p-6 text-center";

function Placeholder({ video, onUpload }: { video: Video; onUpload: () => Promise<void> }) {
  const { status, progress, error } = video;
  if (status === "waiting")
    return (
      <div className={`${box} outline-1 -outline-offset-1 outline-input outline-dashed`}>
        <p className="text-read font-medium">No file yet</p>
        <p className="max-w-[46ch] text-text-2">
          Drop a file anywhere on this page, or choose one. Until then, the embed tells viewers that the video is not
          available yet.
        </p>
        <Button look="ink" icon={Upload} onClick={() => void onUpload()}>
          Choose file
        </Button>
      </div>
    );
  if (status === "failed")
    return (
      <div role="alert" className={`${box} bg-bad-tint`}>
        <CircleX size={20} className="text-bad" aria-hidden />
        <p className="text-read font-medium text-bad">{error?.message ?? "Processing failed."}</p>
        <p className="max-w-[52ch] text-text">
          Upload another file to try again. The ID and embed stay the same.
          {error && <span className="mt-1 block font-mono text-code text-text-2">{error.code}</span>}
        </p>
        <Button look="ink" icon={Upload} onClick={() => void onUpload()}>
          Upload another file
        </Button>
      </div>
    );
  const uploading = status === "uploading";
  return (
    <div className={`${box} bg-sunken shadow-[inset_0_0_0_1px_var(--line)]`}>
      <p role="status" className="text-read font-medium numbers">
        {uploading ? "Uploading" : `Processing, ${progress ?? 0}%`}
      </p>
      {!uploading && <Progress done={progress ?? 0} total={100} className="w-64 max-w-full" />}
      <p className="max-w-[46ch] text-text-2">
        {uploading
          ? "Processing starts once the upload is complete."
          : "The upload is complete. The video plays here and in every embed once processing finishes."}
      </p>
    </div>
  );
}
