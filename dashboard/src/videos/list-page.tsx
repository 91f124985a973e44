import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Upload } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { overviewQuery } from "../api/queries.ts";
import type { Overview } from "../api/types.ts";
import { bytes, plural } from "../format.ts";
import type { VideoSearch } from "../shell/search.ts";
import { Button } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { PageHead } from "../ui/page.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { LoadMore } from "../ui/table.tsx";
import { StateTabs, type Tab } from "../ui/tabs.tsx";
import { DropAnywhere, give, usePicker } from "../uploads/file-picker.tsx";
import { videosQuery } from "./video-queries.ts";
import { VideoRows } from "./video-rows.tsx";

/** Fetched when it is asked for: forms are no part of the first load. */
const NewVideo = lazy(async () => ({ default: (await import("./new-video.tsx")).NewVideo }));

export function VideosPage() {
  const search = useSearch({ from: "/app/videos" });
  const { data: overview } = useQuery(overviewQuery);
  const [creating, setCreating] = useState<boolean | null>(null);
  const { input, pick } = usePicker({ multiple: true, onGiven: (given) => give(given) });
  useAskedUpload(search, pick);
  const totals = overview?.videos;
  return (
    <>
      <DropAnywhere />
      {input}
      <PageHead
        title="Videos"
        actions={
          <>
            <Button icon={Plus} onClick={() => setCreating(true)}>
              New empty video
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
          <NewVideo open={creating} onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </>
  );
}

/** "C then V" from any page opens the dialog here; browsers allow it for a moment after the key. */
function useAskedUpload({ upload }: VideoSearch, pick: () => Promise<void>) {
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time it is asked
  useEffect(() => {
    if (!upload) return;
    void navigate({ to: "/videos", search: {}, replace: true });
    void pick();
  }, [upload]);
}

const states: [word: string, status: keyof Overview["videos"] | undefined][] = [
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
      ([word, state]): Tab => ({
        word,
        count: q ? undefined : totals?.[state ?? "total"],
        active: status === state,
        link: { to: "/videos", search: { ...(q && { q }), ...(state && { status: state }) } },
      }),
    );
  const find = (text: string) =>
    void navigate({ to: "/videos", search: { ...(status && { status }), ...(text && { q: text }) }, replace: true });
  return (
    <div className="gutter flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-b border-line pb-3">
      <StateTabs label="Videos by status" tabs={tabs} />
      <SearchField label="Find by name or id" value={q ?? ""} onSearch={find} className="w-64 narrow:w-full" />
    </div>
  );
}

function List({ search, onUpload }: { search: VideoSearch; onUpload: () => Promise<void> }) {
  const videos = useInfiniteQuery({ ...videosQuery(search), placeholderData: keepPreviousData });
  if (videos.isPending) return <SkeletonRows height="h-15" />;
  if (videos.isError && !videos.data) return <ErrorState error={videos.error} retry={() => void videos.refetch()} />;
  const rows = videos.data.pages.flatMap(({ data }) => data);
  if (rows.length === 0) return <Nothing search={search} onUpload={onUpload} />;
  return (
    <>
      <VideoRows videos={rows} />
      {videos.hasNextPage && <LoadMore busy={videos.isFetchingNextPage} onClick={() => void videos.fetchNextPage()} />}
    </>
  );
}

const curl = () =>
  `curl -X POST ${location.origin}/v1/videos -H "Authorization: Bearer $MAVE_KEY" -H "Content-Type: application/json" -d '{"name":"First"}'`;

function Nothing({ search: { status, q }, onUpload }: { search: VideoSearch; onUpload: () => Promise<void> }) {
  const navigate = useNavigate();
  if (q || status)
    return (
      <Empty
        title="No video matches"
        action={<Button onClick={() => void navigate({ to: "/videos", search: {} })}>Show all videos</Button>}
      >
        {q ? `No name contains “${q}”, and no video has this id.` : "No video is in this state."}
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
      <p>Drop files here, or create one through the API. A video gets its embed address at once, before its file.</p>
      <div className="mt-3 max-w-160">
        <CopyField text={curl()} label="Copy the command" />
      </div>
    </Empty>
  );
}
