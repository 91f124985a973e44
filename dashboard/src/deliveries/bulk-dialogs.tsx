/** The confirmation dialogs for bulk actions. Each dialog previews how many deliveries the action affects. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../api/client.ts";
import type { Replay } from "../api/types.ts";
import type { DeliverySearch } from "../shell/search-params.ts";
import { Button } from "../ui/button.tsx";
import { Confirm, Dialog } from "../ui/dialog.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { toast } from "../ui/toast.ts";
import {
  type CancellationBody,
  cancelAll,
  cancellationOf,
  isUnsupported,
  previewCancellation,
  type ReplayBody,
  replayOf,
  type Unsupported,
} from "./bulk-requests.ts";
import { deliveryCount } from "./delivery-text.ts";

export interface BulkAction {
  kind: "send" | "cancel";
  /**
   * When the user chose the action, in Unix seconds. If the filter sets no end, a replay ends at this time, so that it
   * covers the same deliveries as its preview.
   */
  now: number;
}

interface BulkProps {
  search: DeliverySearch;
  asked: BulkAction | undefined;
  onClose: () => void;
}

export default function BulkDialogs({ search, asked, onClose }: BulkProps) {
  const replay = replayOf(search, asked?.now ?? 0);
  const cancellation = cancellationOf(search);
  const send = { open: asked?.kind === "send", title: "Send all again?", search, onClose };
  const cancel = { open: asked?.kind === "cancel", title: "Cancel all pending deliveries?", search, onClose };
  return (
    <>
      {isUnsupported(replay) ? <UnsupportedDialog {...send} reason={replay} /> : <SendDialog {...send} body={replay} />}
      {isUnsupported(cancellation) ? (
        <UnsupportedDialog {...cancel} reason={cancellation} />
      ) : (
        <CancelDialog {...cancel} body={cancellation} asked={asked?.now} />
      )}
    </>
  );
}

interface DialogProps {
  open: boolean;
  title: string;
  search: DeliverySearch;
  onClose: () => void;
}

/** Explains why the bulk action does not support the filters. Removing the suggested filter starts the preview. */
function UnsupportedDialog({ open, title, search, onClose, reason }: DialogProps & { reason: Unsupported }) {
  const navigate = useNavigate();
  const { why, remove } = reason;
  const { [remove ?? "response"]: _, ...rest } = search;
  const actions = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      {remove && (
        <Button look="ink" onClick={() => void navigate({ to: "/deliveries", search: rest })}>
          Remove {remove} filter
        </Button>
      )}
    </>
  );
  return <Dialog open={open} onClose={onClose} title={title} description={why} actions={actions} />;
}

function SendDialog({ body, ...dialog }: DialogProps & { body: ReplayBody }) {
  const navigate = useNavigate();
  const preview = useQuery({
    queryKey: ["replay", "preview", body],
    queryFn: () => api.post<Replay>("/v1/replays", { ...body, dry_run: true }),
    enabled: dialog.open,
  });
  const start = useMutation({
    mutationFn: () => api.post<Replay>("/v1/replays", body),
    onSuccess: ({ id }) => navigate({ to: "/replays/$id", params: { id: id ?? "" } }),
  });
  const total = preview.data?.total;
  return (
    <PreviewedConfirm
      {...dialog}
      verb={total ? `Send ${deliveryCount(total)} again` : "Send again"}
      total={total}
      none="No finished deliveries match this filter."
      previewError={preview.error}
      action={start}
    >
      A replay sends {deliveryCount(total ?? 0)} again, in order per video and in parallel with new events. Event IDs
      stay the same, so the receiver can ignore duplicates.
    </PreviewedConfirm>
  );
}

interface CancelProps extends DialogProps {
  body: CancellationBody;
  asked: number | undefined;
}

function CancelDialog({ body, asked, ...dialog }: CancelProps) {
  const queries = useQueryClient();
  const preview = useQuery({
    queryKey: ["delivery", "cancel", body, asked],
    queryFn: () => previewCancellation(body),
    enabled: dialog.open,
  });
  const cancel = useMutation({
    mutationFn: () => cancelAll(body),
    onSuccess: (total) => {
      dialog.onClose();
      toast(`${deliveryCount(total)} canceled`);
    },
    onSettled: () => queries.invalidateQueries(),
  });
  const { total, has_more } = preview.data ?? {};
  return (
    <PreviewedConfirm
      {...dialog}
      verb={total ? `Cancel ${deliveryCount(total)}` : "Cancel deliveries"}
      loss
      stay="Keep deliveries"
      total={total}
      none="No pending deliveries match this filter."
      previewError={preview.error}
      action={cancel}
    >
      {has_more && "More than "}
      {deliveryCount(total ?? 0, "pending")} will be canceled and marked as canceled by you. Deliveries that are being
      sent right now are not affected.
    </PreviewedConfirm>
  );
}

interface PreviewedProps extends DialogProps {
  verb: string;
  loss?: boolean;
  stay?: string;
  /** The number of deliveries in the preview. Undefined while the preview loads. */
  total: number | undefined;
  /** The text to show if the preview finds no deliveries. */
  none: string;
  previewError: unknown;
  action: { isPending: boolean; error: unknown; mutate: () => void };
  children: ReactNode;
}

/** A confirmation dialog whose button stays disabled until the preview finds deliveries. */
function PreviewedConfirm({ search: _, total, none, previewError, action, children, ...confirm }: PreviewedProps) {
  return (
    <Confirm
      {...confirm}
      busy={action.isPending}
      disabled={!total}
      error={action.error}
      more={previewError ? <ErrorLine error={previewError} /> : undefined}
      onConfirm={() => action.mutate()}
    >
      {total === undefined ? "Counting deliveries…" : total === 0 ? none : children}
    </Confirm>
  );
}
