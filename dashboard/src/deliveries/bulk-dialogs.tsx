/** The questions before all deliveries of a filter are sent again or canceled, each with its count. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import type { Replay } from "../api/types.ts";
import { plural } from "../format.ts";
import type { DeliverySearch } from "../shell/search.ts";
import { Button } from "../ui/button.tsx";
import { Confirm, Dialog } from "../ui/dialog.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { toast } from "../ui/toast.ts";
import { cancellationOf, isRefusal, type Refusal, replayOf } from "./bulk-filters.ts";
import { cancelAll, countCancel } from "./cancellations.ts";

const deliveries = (count: number): string => plural(count, "delivery", "deliveries");

interface BulkProps {
  search: DeliverySearch;
  asked: { what: "send" | "cancel"; now: number } | undefined;
  onClose: () => void;
}

export default function BulkDialogs({ search, asked, onClose }: BulkProps) {
  const when = (what: "send" | "cancel") => (asked?.what === what ? asked.now : undefined);
  return (
    <>
      <SendAll search={search} asked={when("send")} onClose={onClose} />
      <CancelAll search={search} asked={when("cancel")} onClose={onClose} />
    </>
  );
}

interface AskProps {
  search: DeliverySearch;
  /** When it was asked, Unix seconds; undefined: it is not. */
  asked: number | undefined;
  onClose: () => void;
}

function SendAll({ search, asked, onClose }: AskProps) {
  const navigate = useNavigate();
  const body = replayOf(search, asked ?? 0);
  const refused = isRefusal(body);
  const count = useQuery({
    queryKey: ["replay", "count", body, asked],
    queryFn: () => api.post<Replay>("/v1/replays", { ...body, dry_run: true }),
    enabled: asked !== undefined && !refused,
  });
  const start = useMutation({
    mutationFn: () => api.post<Replay>("/v1/replays", body),
    onSuccess: ({ id }) => navigate({ to: "/replays/$id", params: { id: id ?? "" } }),
  });
  const total = count.data?.total;
  const about = { open: asked !== undefined, onClose, title: "Send all of these again?" };
  if (refused) return <Refused {...about} search={search} refusal={body} />;
  return (
    <Confirm
      {...about}
      verb={total ? `Send ${deliveries(total)} again` : "Send again"}
      busy={start.isPending}
      disabled={!total}
      error={start.error}
      more={count.error && <ErrorLine error={count.error} />}
      onConfirm={() => start.mutate()}
    >
      {sendWords(total)}
    </Confirm>
  );
}

interface RefusedProps {
  open: boolean;
  onClose: () => void;
  title: string;
  search: DeliverySearch;
  refusal: Refusal;
}

/** Says why not and what to do instead; where one filter is in the way, it can be removed at once, and the count begins. */
function Refused({ open, onClose, title, search, refusal: { why, remove } }: RefusedProps) {
  const navigate = useNavigate();
  const { [remove ?? "response"]: _, ...rest } = search;
  const actions = (
    <>
      <Button onClick={onClose}>Back</Button>
      {remove && (
        <Button look="ink" onClick={() => void navigate({ to: "/deliveries", search: rest })}>
          Remove the filter by {remove}
        </Button>
      )}
    </>
  );
  return <Dialog open={open} onClose={onClose} title={title} description={why} actions={actions} />;
}

function sendWords(total: number | undefined): string {
  if (total === undefined) return "Counting…";
  if (total === 0) return "No finished delivery matches this filter.";
  return `A replay sends ${deliveries(total)} again, beside the live traffic and in the order of each video. Events keep their ids, so a receiver can ignore those it knows.`;
}

function CancelAll({ search, asked, onClose }: AskProps) {
  const queries = useQueryClient();
  const filter = cancellationOf(search);
  const refused = isRefusal(filter);
  const count = useQuery({
    queryKey: ["delivery", "cancel", filter, asked],
    queryFn: () => countCancel(refused ? {} : filter),
    enabled: asked !== undefined && !refused,
  });
  const cancel = useMutation({
    mutationFn: async () => (refused ? 0 : cancelAll(filter)),
    onSuccess: (total) => {
      onClose();
      toast(`${deliveries(total)} canceled.`);
    },
    onSettled: () => queries.invalidateQueries(),
  });
  const total = count.data?.total;
  const about = { open: asked !== undefined, onClose, title: "Cancel all that are open?" };
  if (refused) return <Refused {...about} search={search} refusal={filter} />;
  return (
    <Confirm
      {...about}
      verb={total ? `Cancel ${deliveries(total)}` : "Cancel them"}
      loss
      stay="Keep them"
      busy={cancel.isPending}
      disabled={!total}
      error={cancel.error}
      more={count.error && <ErrorLine error={count.error} />}
      onConfirm={() => cancel.mutate()}
    >
      {cancelWords(total, count.data?.has_more)}
    </Confirm>
  );
}

function cancelWords(total: number | undefined, more: boolean | undefined): string {
  if (total === undefined) return "Counting…";
  if (total === 0) return "No open delivery matches this filter.";
  return `${more ? "More than " : ""}${deliveries(total)} will never be sent by themselves, and will say that you canceled them. What is being sent right now is left alone.`;
}
