/** Where the video plays; before that, what it waits for, live. */
import { CircleX, Upload } from "lucide-react";
import type { ReactNode } from "react";
import type { Video } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Bar } from "../uploads/bar.tsx";
import { titleOf } from "./video-queries.ts";

export function Stage({ video, onUpload }: { video: Video; onUpload: () => Promise<void> }) {
  if (video.playback_url === null) return <NotYet video={video} onUpload={onUpload} />;
  return (
    <div className="flex flex-col gap-3">
      <Player video={video} />
      {video.progress !== null && (
        <NewFile share={video.progress / 100}>
          A new file is being processed: {video.progress}&nbsp;%. The one before it plays until the new one is ready.
        </NewFile>
      )}
      {video.error && (
        <p role="alert" className="rounded-panel bg-bad-tint px-4 py-3 text-bad">
          The newest file was not taken, so the one before it still plays. {video.error.message}
        </p>
      )}
    </div>
  );
}

/** The embed page itself, as other sites show it. */
function Player({ video }: { video: Video }) {
  const { id, width, height, last_upload } = video;
  const ratio = width && height ? width / height : 16 / 9; // a portrait film ends at max-h, with black beside it
  return (
    <iframe
      key={last_upload} // a replaced file is another version: the page has to be asked for again
      src={`/${id}`}
      title={`Player: ${titleOf(video)}`}
      allow="autoplay; fullscreen; picture-in-picture; encrypted-media"
      allowFullScreen
      className="block max-h-[max(320px,68dvh)] w-full rounded-panel border-0 bg-black"
      style={{ aspectRatio: ratio }}
    />
  );
}

function NewFile({ share, children }: { share: number; children: ReactNode }) {
  return (
    <div>
      <Bar share={share} />
      <p className="mt-2 text-text-2 numbers">{children}</p>
    </div>
  );
}

const box =
  "flex aspect-video max-h-105 w-full flex-col items-center justify-center gap-3 rounded-panel p-6 text-center";

function NotYet({ video, onUpload }: { video: Video; onUpload: () => Promise<void> }) {
  const { status, progress, error } = video;
  if (status === "waiting")
    return (
      <div className={`${box} outline-1 -outline-offset-1 outline-input outline-dashed`}>
        <p className="text-read font-medium">No file yet</p>
        <p className="max-w-[46ch] text-text-2">
          Drop a file anywhere on this page, or choose one. The embed works already: it says that the video is on its
          way.
        </p>
        <Button look="ink" icon={Upload} onClick={() => void onUpload()}>
          Choose a file
        </Button>
      </div>
    );
  if (status === "failed")
    return (
      <div role="alert" className={`${box} bg-bad-tint`}>
        <CircleX size={20} className="text-bad" aria-hidden />
        <p className="text-read font-medium text-bad">{error?.message ?? "The file could not be made to play."}</p>
        <p className="max-w-[52ch] text-text">
          Nothing else was touched: the id and the embed stay. Upload another file to try again.
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
        {uploading ? "Uploading" : `Processing, ${progress ?? 0}\u00a0%`}
      </p>
      {!uploading && <Bar share={(progress ?? 0) / 100} className="w-64 max-w-full" />}
      <p className="max-w-[46ch] text-text-2">
        {uploading
          ? "The file is on its way. It is processed as soon as its last byte is here."
          : "The file is here, whole. It plays on this page and in every embed as soon as it is ready."}
      </p>
    </div>
  );
}
