/** The videos as a table; below 720 px of pane as a list of two-line rows. */
import { Link } from "@tanstack/react-router";
import { Code } from "lucide-react";
import type { Video } from "../api/types.ts";
import { bytes, length } from "../format.ts";
import { useIsNarrow } from "../shell/pane.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Skeleton } from "../ui/states.tsx";
import { Status, videoState } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { Poster } from "./poster.tsx";
import { embedCode, titleOf } from "./video-queries.ts";

export function VideoRows({ videos }: { videos: readonly Video[] }) {
  return useIsNarrow() ? <PhoneList videos={videos} /> : <Table videos={videos} />;
}

const head = "h-9 px-3 text-left text-meta font-normal text-text-3";

function Table({ videos }: { videos: readonly Video[] }) {
  return (
    <table className="w-full table-fixed border-collapse">
      <caption className="sr-only">Videos, newest first</caption>
      <thead>
        <tr className="border-b border-line">
          <th scope="col" className={`${head} pl-8!`}>
            Video
          </th>
          <th scope="col" className={`${head} w-36`}>
            Status
          </th>
          <th scope="col" className={`${head} w-20 text-right!`}>
            Length
          </th>
          <th scope="col" className={`${head} hidden w-24 text-right! wide:table-cell`}>
            Size
          </th>
          <th scope="col" className={`${head} w-40 pr-8! text-right! wide:w-36 wide:pr-3!`}>
            Created
          </th>
          <th scope="col" className={`${head} hidden w-26 pr-8! wide:table-cell`}>
            <span className="sr-only">Copy</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {videos.map((video) => (
          <Row key={video.id} video={video} />
        ))}
      </tbody>
    </table>
  );
}

const cell = "px-3 align-middle";

function Row({ video }: { video: Video }) {
  const { duration, size, created, id } = video;
  return (
    <tr className="group relative h-15 border-b border-line transition-colors duration-[120ms] focus-within:bg-hover hover:bg-hover">
      <td className={`${cell} pl-8`}>
        <span className="flex min-w-0 items-center gap-4">
          <Poster video={video} />
          <Names video={video} />
        </span>
      </td>
      <td className={cell}>
        <Status state={videoState(video)} />
      </td>
      <td className={`${cell} text-right text-text-2 numbers`}>{length(duration)}</td>
      <td className={`${cell} hidden text-right text-text-2 numbers wide:table-cell`}>{bytes(size)}</td>
      <td className={`${cell} pr-8 text-right text-text-2 wide:pr-3`}>
        <Ago at={created} />
      </td>
      <td className={`${cell} hidden pr-8 wide:table-cell`}>
        <span className="flex justify-end opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 touch:opacity-100">
          <CopyButton text={embedCode(video)} label="Copy the embed code" icon={Code} />
          <CopyButton text={id} label="Copy the id" />
        </span>
      </td>
    </tr>
  );
}

function Names({ video }: { video: Video }) {
  const { id, error, status, progress } = video;
  return (
    <span className="min-w-0 flex-1">
      <Link
        to="/videos/$id"
        params={{ id }}
        data-row
        title={titleOf(video)}
        className="stretched block truncate font-medium"
      >
        {titleOf(video)}
      </Link>
      <span className="flex min-w-0 gap-2">
        <span className="shrink-0 font-mono text-code text-text-2">{id}</span>
        {status === "ready" && progress !== null && (
          <span className="truncate text-accent numbers">New file: {progress}&nbsp;%</span>
        )}
        {error && (
          <span className="truncate text-bad" title={error.message}>
            {error.message}
          </span>
        )}
      </span>
    </span>
  );
}

function PhoneList({ videos }: { videos: readonly Video[] }) {
  return (
    <ul aria-label="Videos, newest first">
      {videos.map((video) => (
        <li key={video.id} className="gutter relative flex items-center gap-4 border-b border-line py-2.5">
          <Poster video={video} />
          <span className="min-w-0 flex-1">
            <Link to="/videos/$id" params={{ id: video.id }} data-row className="stretched block truncate font-medium">
              {titleOf(video)}
            </Link>
            <span className="flex items-center justify-between gap-3">
              <Status state={videoState(video)} />
              <span className="text-text-2 numbers">
                {video.duration === null ? <Ago at={video.created} /> : length(video.duration)}
              </span>
            </span>
            {video.error && <span className="block text-bad">{video.error.message}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

const LOADING_ROWS = 8;

export function VideoRowsLoading() {
  return (
    <div role="status" aria-label="Loading videos" className="narrow:pt-0 pt-9">
      {Array.from({ length: LOADING_ROWS }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows that are all alike
        <div key={row} className="gutter flex h-15 items-center gap-4 border-b border-line">
          <Skeleton className="h-10 w-18" />
          <span className="flex flex-1 flex-col gap-2">
            <Skeleton className="h-3 w-48 max-w-full" />
            <Skeleton className="h-3 w-24" />
          </span>
          <Skeleton className="h-3 w-20 narrow:hidden" />
        </div>
      ))}
    </div>
  );
}
