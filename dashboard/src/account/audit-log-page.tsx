import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import type { AuditEntry, List } from "../api/types.ts";
import { useIsNarrow } from "../shell/pane.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { PageHead } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
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
        Who did what, when and from where: keys, secrets, webhooks, members, replays.
      </PageHead>
      {log.error ? (
        <ErrorState error={log.error} retry={() => void log.refetch()} />
      ) : log.isPending ? (
        <SkeletonRows />
      ) : rows.length === 0 ? (
        <Empty title="Nothing has been done yet" />
      ) : (
        <Rows rows={rows} />
      )}
      {log.hasNextPage && (
        <div className="gutter py-4">
          <Button busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Show older ones
          </Button>
        </div>
      )}
    </>
  );
}

/** "webhook.secret_revealed" → "Webhook: secret revealed" */
function words(action: string): string {
  const [area = "", verb = ""] = action.split(".");
  const plain = (text: string) => text.replaceAll("_", " ");
  const first = area === "api_key" ? "API key" : plain(area).replace(/^./, (letter) => letter.toUpperCase());
  return `${first}: ${plain(verb)}`;
}

const head = "h-9 px-3 text-left text-meta font-normal text-text-3 first:pl-8 last:pr-8";
const cell = "h-11 truncate px-3 first:pl-8 last:pr-8";

function Rows({ rows }: { rows: AuditEntry[] }) {
  if (useIsNarrow()) return <Lines rows={rows} />;
  return (
    <table className="w-full table-fixed border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={classes(head, "w-64")}>What</th>
          <th className={head}>Who</th>
          <th className={classes(head, "w-56")}>To what</th>
          <th className={classes(head, "hidden w-40 wide:table-cell")}>From</th>
          <th className={classes(head, "w-36 text-right!")}>When</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((entry) => (
          <tr key={entry.id} className="border-b border-line">
            <td className={classes(cell, "font-medium")}>{words(entry.action)}</td>
            <td className={classes(cell, "text-text-2")}>{entry.actor}</td>
            <td className={cell}>
              <Subject entry={entry} />
            </td>
            <td className={classes(cell, "hidden font-mono text-code text-text-2 wide:table-cell")}>
              {entry.address ?? "–"}
            </td>
            <td className={classes(cell, "text-right text-text-2")}>
              <Ago at={entry.created} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lines({ rows }: { rows: AuditEntry[] }) {
  return (
    <ul className="border-t border-line">
      {rows.map((entry) => (
        <li key={entry.id} className="gutter border-b border-line py-2.5">
          <div className="flex justify-between gap-3">
            <span className="font-medium">{words(entry.action)}</span>
            <span className="text-text-2">
              <Ago at={entry.created} />
            </span>
          </div>
          <div className="mt-0.5 flex justify-between gap-3">
            <span className="min-w-0 truncate text-text-2">
              {entry.actor}
              {entry.address && `, ${entry.address}`}
            </span>
            {entry.subject !== null && (
              <span className="max-w-[50%] shrink-0 truncate">
                <Subject entry={entry} />
              </span>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Subject({ entry: { action, subject } }: { entry: AuditEntry }) {
  if (subject === null) return <span className="text-text-3">–</span>;
  const link = "rounded-tag font-mono text-code text-accent hover:underline";
  if (action.startsWith("webhook.")) {
    return (
      <Link to="/webhooks/$id" params={{ id: subject }} className={link}>
        {subject}
      </Link>
    );
  }
  if (action.startsWith("replay.")) {
    return (
      <Link to="/replays/$id" params={{ id: subject }} className={link}>
        {subject}
      </Link>
    );
  }
  return <span className="font-mono text-code text-text-2">{subject}</span>;
}
