import { Link } from "@tanstack/react-router";
import { Code } from "lucide-react";
import type { Video } from "../api/types.ts";
import { bytes, length } from "../format.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Status, videoState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { Poster } from "./poster.tsx";
import { embedCode, titleOf } from "./video-queries.ts";

export const VideoRows = ({ videos }: { videos: readonly Video[] }) => (
  <Table label="Videos, newest first" columns={columns} rows={videos} rowClass="mid:min-h-15" />
);

const columns: Column<Video>[] = [
  {
    name: "Poster",
    hideName: true,
    width: "72px",
    narrow: "picture",
    cell: (video) => <Poster video={video} />,
  },
  { name: "Video", width: "minmax(0,1fr)", narrow: "title", cell: (video) => <Name video={video} /> },
  { name: "Status", width: "120px", narrow: "detail", cell: (video) => <Status state={videoState(video)} /> },
  {
    name: "Length",
    width: "56px",
    align: "end",
    narrow: "detailEnd",
    className: "text-text-2 numbers",
    cell: ({ duration }) => length(duration),
  },
  {
    name: "Size",
    width: "72px",
    align: "end",
    from: "wide",
    className: "text-text-2 numbers",
    cell: ({ size }) => bytes(size),
  },
  {
    name: "Created",
    width: "112px",
    align: "end",
    narrow: "titleEnd",
    className: "text-text-2",
    cell: ({ created }) => <Ago at={created} />,
  },
  {
    name: "Copy",
    hideName: true,
    width: "56px",
    align: "end",
    from: "wide",
    cell: (video) => <CopyActions video={video} />,
  },
];

function Name({ video }: { video: Video }) {
  const { id, error, status, progress } = video;
  return (
    <>
      <Link
        to="/videos/$id"
        params={{ id }}
        data-row
        title={titleOf(video)}
        className="stretched block truncate font-medium"
      >
        {titleOf(video)}
      </Link>
      <span className="flex min-w-0 gap-2 narrow:whitespace-normal">
        <span className="shrink-0 font-mono text-code text-text-2 narrow:hidden">{id}</span>
        {status === "ready" && progress !== null && (
          <span className="truncate text-accent numbers">New file: {progress}%</span>
        )}
        {error && (
          <span className="text-bad mid:truncate" title={error.message}>
            {error.message}
          </span>
        )}
      </span>
    </>
  );
}

function CopyActions({ video }: { video: Video }) {
  return (
    <span className="flex justify-end opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 touch:opacity-100">
      <CopyButton text={embedCode(video)} label="Copy embed code" icon={Code} />
      <CopyButton text={video.id} label="Copy ID" />
    </span>
  );
}
