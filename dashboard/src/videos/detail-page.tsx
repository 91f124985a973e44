import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Ellipsis, Pencil, Trash2, Upload } from "lucide-react";
import { useState } from "react";
import { ApiError } from "../api/client.ts";
import { videoQuery } from "../api/queries.ts";
import type { Video } from "../api/types.ts";
import { useShortcuts } from "../shell/shortcuts.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyText, useCopy } from "../ui/copy.tsx";
import { Menu } from "../ui/menu.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { ErrorState, Skeleton } from "../ui/states.tsx";
import { Badge, videoState } from "../ui/status.tsx";
import { DropTarget, uploadFiles, useFilePicker } from "../uploads/file-picker.tsx";
import { DeleteVideo } from "./delete-video.tsx";
import { VideoDetails } from "./details.tsx";
import { EmbedCode } from "./embed-code.tsx";
import { EraseEventData } from "./erase-event-data.tsx";
import { EventHistory } from "./event-history.tsx";
import { Metadata } from "./metadata.tsx";
import { VideoPreview } from "./preview.tsx";
import { RenameVideo } from "./rename-video.tsx";
import { titleOf } from "./video-queries.ts";

export function VideoPage() {
  const { id } = useParams({ from: "/app/videos/$id" });
  const { data: video, error, refetch } = useQuery(videoQuery(id));
  if (error instanceof ApiError && error.problem.status === 404) return <NotFound id={id} />;
  return (
    <>
      <Crumbs to="/videos" parent="Videos">
        {video ? titleOf(video) : id}
      </Crumbs>
      {video ? (
        <VideoContent video={video} />
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Loading />
      )}
    </>
  );
}

/** Shown if the video does not exist, or if it is deleted while its page is open. */
function NotFound({ id }: { id: string }) {
  return (
    <>
      <Crumbs to="/videos" parent="Videos">
        {id}
      </Crumbs>
      <PageHead title="Video not found">
        <p>The video was deleted, or the URL is wrong. A deleted video's events are kept for the retention period.</p>
        <p className="mt-3 flex flex-wrap gap-x-5 gap-y-2">
          <Link to="/events" search={{ video: id }} className="font-medium text-accent hover:underline">
            View its events
          </Link>
          <Link to="/videos" className="font-medium text-accent hover:underline">
            View all videos
          </Link>
        </p>
        <EraseEventData id={id} />
      </PageHead>
    </>
  );
}

function VideoContent({ video }: { video: Video }) {
  const { input, pick } = useFilePicker({ multiple: false, onPick: (files) => uploadFiles(files, video.id) });
  const { copy } = useCopy(video.id);
  useShortcuts({ y: () => void copy() });
  const isPlayable = video.playback_url !== null;
  return (
    <>
      <DropTarget video={video.id} label={isPlayable ? "Drop to replace the file" : "Drop to upload to this video"} />
      {input}
      <Head video={video} pick={pick} isPlayable={isPlayable} />
      <div className="gutter grid grid-cols-1 gap-x-10 gap-y-8 pb-10 side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="flex min-w-0 flex-col gap-8">
          <VideoPreview video={video} onUpload={pick} />
          <EmbedCode video={video} />
          <EventHistory video={video} />
        </div>
        <aside aria-label="Video details" className="flex min-w-0 flex-col gap-8">
          <VideoDetails video={video} />
          <Metadata video={video} />
        </aside>
      </div>
    </>
  );
}

function Head({ video, pick, isPlayable }: { video: Video; pick: () => Promise<void>; isPlayable: boolean }) {
  const [dialog, setDialog] = useState<"rename" | "delete" | null>(null);
  const close = () => setDialog(null);
  const rename = () => setDialog("rename");
  return (
    <>
      <PageHead
        title={titleOf(video)}
        badge={<Badge state={videoState(video)} />}
        actions={
          <>
            {isPlayable && (
              <Button icon={Upload} onClick={() => void pick()}>
                Replace file
              </Button>
            )}
            <Menu
              trigger={<IconButton icon={Ellipsis} look="line" size="md" label="More actions" />}
              items={[
                { label: "Rename", icon: Pencil, onSelect: rename },
                { label: "Delete", icon: Trash2, loss: true, apart: true, onSelect: () => setDialog("delete") },
              ]}
            />
          </>
        }
      >
        <CopyText text={video.id} label="Copy ID" />
      </PageHead>
      <RenameVideo video={video} open={dialog === "rename"} onClose={close} />
      <DeleteVideo video={video} open={dialog === "delete"} onClose={close} />
    </>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading video" className="gutter pt-6">
      <Skeleton className="h-7 w-64 max-w-full" />
      <div className="mt-14 grid gap-10 side:grid-cols-[minmax(0,1fr)_288px]">
        <Skeleton className="aspect-video w-full" />
        <Skeleton className="h-40 w-full" />
      </div>
    </div>
  );
}
