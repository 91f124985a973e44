import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Upload } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { overviewQuery } from "../api/queries.ts";
import type { Overview } from "../api/types.ts";
import { bytes, plural } from "../format.ts";
import type { VideoSearch } from "../shell/search-params.ts";
import { Button } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { PageHead } from "../ui/page.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { LoadMore } from "../ui/table.tsx";
import { StateTabs, type Tab } from "../ui/tabs.tsx";
import { DropTarget, uploadFiles, useFilePicker } from "../uploads/file-picker.tsx";
import { videosQuery } from "./video-queries.ts";
import { VideoRows } from "./video-rows.tsx";

/** Loaded on first use, to keep forms out of the initial page load. */
const CreateVideo = lazy(async () => ({ default: (await import("./create-video.tsx")).CreateVideo }));

export function VideosPage() {
  const search = useSearch({ from: "/app/videos" });
  const { data: overview } = useQuery(overviewQuery);
  const [creating, setCreating] = useState<boolean | null>(null);
  const { input, pick } = useFilePicker({ multiple: true, onPick: (files) => uploadFiles(files) });
  useUploadShortcut(search, pick);
  const totals = overview?.videos;
  return (
    <>
      <DropTarget />
      {input}
      <PageHead
        title="Videos"
        actions={
          <>
            <Button icon={Plus} onClick={() => setCreating(true)}>
              Create video
            </Button>
            <Button look="ink" icon={Upload} onClick={() => void pick()}>
              Upload
            </Button>
          </>
        }
      >
        <span className="numbers">
          {totals ? `${plural(totals.total, "video")}, ${bytes(totals.bytes)}` : "\u00a0"}
        </span>
      </PageHead>
      <FilterBar search={search} totals={totals} />
      <List search={search} onUpload={pick} />
      {creating !== null && (
        <Suspense>
          <CreateVideo open={creating} onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </>
  );
}

/** Opens the file dialog if the user got here with C then V. Browsers allow this only shortly after a key press. */
function useUploadShortcut({ upload }: VideoSearch, pick: () => Promise<void>) {
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs only when `upload` changes
  useEffect(() => {
    if (!upload) return;
    void navigate({ to: "/videos", search: {}, replace: true });
    void pick();
  }, [upload]);
}

const states: [label: string, status: keyof Overview["videos"] | undefined][] = [
  ["All", undefined],
  ["Ready", "ready"],
  ["Uploading", "uploading"],
  ["Processing", "processing"],
  ["Failed", "failed"],
  ["No file yet", "waiting"],
];

function FilterBar({ search, totals }: { search: VideoSearch; totals: Overview["videos"] | undefined }) {
  const navigate = useNavigate();
  const { status, q } = search;
  const tabs = states
    .filter(([, state]) => state !== "uploading" || status === state || (totals?.uploading ?? 0) > 0)
    .map(
      ([label, state]): Tab => ({
        label,
        count: q ? undefined : totals?.[state ?? "total"],
        active: status === state,
        link: { to: "/videos", search: { ...(q && { q }), ...(state && { status: state }) } },
      }),
    );
  const setQuery = (text: string) =>
    void navigate({ to: "/videos", search: { ...(status && { status }), ...(text && { q: text }) }, replace: true });
  return (
    <div className="gutter flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-b border-line pb-3">
      <StateTabs label="Videos by status" tabs={tabs} />
      <SearchField label="Search by name or ID" value={q ?? ""} onSearch={setQuery} className="w-64 narrow:w-full" />
    </div>
  );
}

function List({ search, onUpload }: { search: VideoSearch; onUpload: () => Promise<void> }) {
  const videos = useInfiniteQuery({ ...videosQuery(search), placeholderData: keepPreviousData });
  if (videos.isPending) return <SkeletonRows height="h-15" />;
  if (videos.isError && !videos.data) return <ErrorState error={videos.error} retry={() => void videos.refetch()} />;
  const rows = videos.data.pages.flatMap(({ data }) => data);
  if (rows.length === 0) return <NoVideos search={search} onUpload={onUpload} />;
  return (
    <>
      <VideoRows videos={rows} />
      {videos.hasNextPage && <LoadMore busy={videos.isFetchingNextPage} onClick={() => void videos.fetchNextPage()} />}
    </>
  );
}

const curl = () =>
  `curl -X POST ${location.origin}/v1/videos -H "Authorization: Bearer $MAVE_KEY" -H "Content-Type: application/json" -d '{"name":"First"}'`;

function NoVideos({ search: { status, q }, onUpload }: { search: VideoSearch; onUpload: () => Promise<void> }) {
  const navigate = useNavigate();
  if (q || status)
    return (
      <Empty
        title="No matching videos"
        action={<Button onClick={() => void navigate({ to: "/videos", search: {} })}>Clear filters</Button>}
      >
        {q ? `No name contains “${q}”, and no video has this ID.` : "No video has this status."}
      </Empty>
    );
  return (
    <Empty
      title="No videos yet"
      action={
        <Button icon={Upload} onClick={() => void onUpload()}>
          Choose files
        </Button>
      }
    >
      <p>Drop files here, or create a video through the API. Its embed URL works right away, even before the upload.</p>
      <div className="mt-3 max-w-160">
        <CopyField text={curl()} label="Copy command" />
      </div>
    </Empty>
  );
}
