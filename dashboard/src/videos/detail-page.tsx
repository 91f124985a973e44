import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Ellipsis, Pencil, Trash2, Upload } from "lucide-react";
import { useState } from "react";
import { ApiError } from "../api/client.ts";
import { videoQuery } from "../api/queries.ts";
import type { Video } from "../api/types.ts";
import { useKeys } from "../shell/keys.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyText, useCopy } from "../ui/copy.tsx";
import { Menu } from "../ui/menu.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { ErrorState, Skeleton } from "../ui/states.tsx";
import { Badge, videoState } from "../ui/status.tsx";
import { DropAnywhere, give, usePicker } from "../uploads/file-picker.tsx";
import { DeleteVideo } from "./delete-video.tsx";
import { VideoFacts } from "./details.tsx";
import { EmbedCode } from "./embed-code.tsx";
import { EraseVideo } from "./erase-event-data.tsx";
import { Story } from "./event-history.tsx";
import { Metadata } from "./metadata.tsx";
import { Stage } from "./preview.tsx";
import { RenameVideo } from "./rename-video.tsx";
import { titleOf } from "./video-queries.ts";

export function VideoPage() {
  const { id } = useParams({ from: "/app/videos/$id" });
  const { data: video, error, refetch } = useQuery(videoQuery(id));
  if (error instanceof ApiError && error.problem.status === 404) return <Gone id={id} />;
  return (
    <>
      <Crumbs to="/videos" parent="Videos">
        {video ? titleOf(video) : id}
      </Crumbs>
      {video ? (
        <Shown video={video} />
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Loading />
      )}
    </>
  );
}

/** Also where somebody deletes the video while this page shows it. */
function Gone({ id }: { id: string }) {
  return (
    <>
      <Crumbs to="/videos" parent="Videos">
        {id}
      </Crumbs>
      <PageHead title="There is no such video">
        <p>It was deleted, or this address is wrong. Its events are kept for some time.</p>
        <p className="mt-3 flex flex-wrap gap-x-5 gap-y-2">
          <Link to="/events" search={{ video: id }} className="font-medium text-accent hover:underline">
            Events of {id}
          </Link>
          <Link to="/videos" className="font-medium text-accent hover:underline">
            All videos
          </Link>
        </p>
        <EraseVideo id={id} />
      </PageHead>
    </>
  );
}

function Shown({ video }: { video: Video }) {
  const { input, pick } = usePicker({ multiple: false, onGiven: (given) => give(given, video.id) });
  const { copy } = useCopy(video.id);
  useKeys({ y: () => void copy() });
  const plays = video.playback_url !== null;
  return (
    <>
      <DropAnywhere video={video.id} words={plays ? "Drop to replace the file" : "Drop to upload to this video"} />
      {input}
      <Head video={video} pick={pick} plays={plays} />
      <div className="gutter grid grid-cols-1 gap-x-10 gap-y-8 pb-10 side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="flex min-w-0 flex-col gap-8">
          <Stage video={video} onUpload={pick} />
          <EmbedCode video={video} />
          <Story video={video} />
        </div>
        <aside aria-label="About this video" className="flex min-w-0 flex-col gap-8">
          <VideoFacts video={video} />
          <Metadata video={video} />
        </aside>
      </div>
    </>
  );
}

function Head({ video, pick, plays }: { video: Video; pick: () => Promise<void>; plays: boolean }) {
  const [asking, setAsking] = useState<"rename" | "delete" | null>(null);
  const close = () => setAsking(null);
  const rename = () => setAsking("rename");
  return (
    <>
      <PageHead
        title={titleOf(video)}
        badge={<Badge state={videoState(video)} />}
        actions={
          <>
            {plays && (
              <Button icon={Upload} onClick={() => void pick()}>
                Replace file
              </Button>
            )}
            <Menu
              trigger={<IconButton icon={Ellipsis} look="line" size="md" label="More about this video" />}
              items={[
                { word: "Rename", icon: Pencil, onSelect: rename },
                { word: "Delete", icon: Trash2, loss: true, apart: true, onSelect: () => setAsking("delete") },
              ]}
            />
          </>
        }
      >
        <CopyText text={video.id} label="Copy the id" />
      </PageHead>
      <RenameVideo video={video} open={asking === "rename"} onClose={close} />
      <DeleteVideo video={video} open={asking === "delete"} onClose={close} />
    </>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the video" className="gutter pt-6">
      <Skeleton className="h-7 w-64 max-w-full" />
      <div className="mt-14 grid gap-10 side:grid-cols-[minmax(0,1fr)_288px]">
        <Skeleton className="aspect-video w-full" />
        <Skeleton className="h-40 w-full" />
      </div>
    </div>
  );
}
