import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import type { AuditEntry, List } from "../api/types.ts";
import { PageHead } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { type Column, LoadMore, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";

const PAGE = 50;

export function AuditLogPage() {
  const log = useInfiniteQuery({
    queryKey: ["audit-log"],
    queryFn: ({ pageParam, signal }) =>
      api.get<List<AuditEntry>>("/v1/audit-log", { limit: PAGE, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.has_more ? (page.next ?? undefined) : undefined),
  });
  const rows = log.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      <PageHead title="Audit log">
        A record of sign-ins and of who changed API keys, secrets, webhooks, members, videos, and deliveries, including
        when and from which IP address.
      </PageHead>
      {log.error ? (
        <ErrorState error={log.error} retry={() => void log.refetch()} />
      ) : log.isPending ? (
        <SkeletonRows />
      ) : rows.length === 0 ? (
        <Empty title="No changes yet" />
      ) : (
        <Table label="Audit log, newest first" columns={columns} rows={rows} />
      )}
      {log.hasNextPage && <LoadMore busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()} />}
    </>
  );
}

const columns: Column<AuditEntry>[] = [
  {
    name: "Action",
    width: "232px",
    narrow: "title",
    className: "font-medium",
    cell: ({ action }) => actionLabel(action),
  },
  { name: "Actor", width: "minmax(0,1fr)", narrow: "detail", className: "text-text-2", cell: ({ actor }) => actor },
  { name: "Target", width: "200px", narrow: "detailEnd", cell: (entry) => <Target entry={entry} /> },
  {
    name: "IP address",
    width: "136px",
    from: "wide",
    narrow: "below",
    className: "font-mono text-code text-text-2",
    cell: ({ address }) => address ?? <span className="narrow:hidden">–</span>,
  },
  {
    name: "Time",
    width: "120px",
    align: "end",
    narrow: "titleEnd",
    className: "text-text-2",
    cell: ({ created }) => <Ago at={created} />,
  },
];

/** Formats "webhook.secret_revealed" as "Webhook: secret revealed". */
function actionLabel(action: string): string {
  const [subject = "", verb = ""] = action.replaceAll("_", " ").split(".");
  const capitalized = subject === "api key" ? "API key" : subject.replace(/^./, (letter) => letter.toUpperCase());
  return `${capitalized}: ${verb}`;
}

const pages = { webhook: "/webhooks/$id", replay: "/replays/$id" } as const;

function Target({ entry: { action, subject } }: { entry: AuditEntry }) {
  if (subject === null) return <span className="text-text-3">–</span>;
  const to = Object.entries(pages).find(([kind]) => action.startsWith(`${kind}.`))?.[1];
  if (to === undefined) return <span className="font-mono text-code text-text-2">{subject}</span>;
  return (
    <Link to={to} params={{ id: subject }} className="rounded-tag font-mono text-code text-accent hover:underline">
      {subject}
    </Link>
  );
}
