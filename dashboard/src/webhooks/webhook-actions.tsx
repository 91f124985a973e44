/** Webhook actions and their dialogs. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, History, Pause, Pencil, Play, RefreshCw, Send, Trash2 } from "lucide-react";
import { ApiError, api } from "../api/client.ts";
import type { Webhook } from "../api/types.ts";
import { deliveryCount } from "../deliveries/delivery-text.ts";
import { webhookName } from "../deliveries/names.ts";
import { Button } from "../ui/button.tsx";
import { Confirm, Dialog } from "../ui/dialog.tsx";
import { Menu } from "../ui/menu.tsx";
import { toast } from "../ui/toast.ts";
import { ResumeDialog } from "./resume-dialog.tsx";
import { useRetryAll } from "./retry-all.ts";
import { SendTest } from "./send-test.tsx";

export type WebhookDialog = "test" | "resume" | "delete" | undefined;

interface ActionsProps {
  webhook: Webhook;
  pending: number;
  dialog: WebhookDialog;
  openDialog: (dialog: WebhookDialog) => void;
}

export function WebhookActions({ webhook, pending, dialog, openDialog }: ActionsProps) {
  const { id } = webhook;
  const navigate = useNavigate();
  const pause = usePause(webhook);
  const retry = useRetryAll(id);
  const close = () => openDialog(undefined);
  const enabled = webhook.status === "enabled";
  return (
    <>
      <Button icon={Send} onClick={() => openDialog("test")}>
        Send test
      </Button>
      {enabled ? (
        <Button icon={Pause} busy={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      ) : (
        <Button icon={Play} onClick={() => openDialog("resume")}>
          Resume
        </Button>
      )}
      <Menu
        trigger={<Button icon={Ellipsis} aria-label="More actions" title="More actions" />}
        items={[
          { label: "Edit", icon: Pencil, onSelect: () => void navigate({ to: "/webhooks/$id/edit", params: { id } }) },
          ...(enabled ? [{ label: "Retry all now", icon: RefreshCw, onSelect: () => retry.mutate() }] : []),
          {
            label: "Replay events",
            icon: History,
            onSelect: () => void navigate({ to: "/replays/new", search: { webhook: id } }),
          },
          { label: "Copy ID", icon: Copy, end: "Y", onSelect: () => void navigator.clipboard.writeText(id) },
          { label: "Delete", icon: Trash2, loss: true, apart: true, onSelect: () => openDialog("delete") },
        ]}
      />
      <Dialog
        open={dialog === "test"}
        onClose={close}
        title="Send test event"
        description="Sends a test event to this webhook, without retries."
      >
        <SendTest webhook={webhook} />
      </Dialog>
      <ResumeDialog webhook={webhook} open={dialog === "resume"} onClose={close} />
      <DeleteDialog webhook={webhook} pending={pending} open={dialog === "delete"} onClose={close} />
    </>
  );
}

function usePause(webhook: Webhook) {
  const queries = useQueryClient();
  const change = (status: Webhook["status"]) => api.patch<Webhook>(`/v1/webhooks/${webhook.id}`, { status });
  const refresh = () => queries.invalidateQueries({ queryKey: ["webhook"] });
  const undo = () => change("enabled").then(refresh, toastError);
  return useMutation({
    mutationFn: () => change("paused"),
    onSuccess: () => {
      toast("Paused. New events are recorded and held.", { action: { label: "Undo", onClick: () => void undo() } });
      return refresh();
    },
    onError: toastError,
  });
}

const toastError = (error: unknown) =>
  void toast.error(error instanceof ApiError ? error.problem.detail : String(error));

interface DeleteProps {
  webhook: Webhook;
  pending: number;
  open: boolean;
  onClose: () => void;
}

function DeleteDialog({ webhook, pending, open, onClose }: DeleteProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const pause = usePause(webhook);
  const remove = useMutation({
    mutationFn: () => api.delete(`/v1/webhooks/${webhook.id}`),
    onSuccess: async () => {
      await navigate({ to: "/webhooks" });
      toast(`${webhookName(webhook)} deleted`);
      await queries.invalidateQueries({ queryKey: ["webhook", "list"] });
    },
  });
  const instead = webhook.status === "enabled" && (
    <Button onClick={() => pause.mutate(undefined, { onSuccess: onClose })}>Pause instead</Button>
  );
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete ${webhookName(webhook)}?`}
      verb="Delete webhook"
      loss
      busy={remove.isPending}
      error={remove.error}
      instead={instead}
      onConfirm={() => remove.mutate()}
    >
      {pending > 0 && `${deliveryCount(pending, "pending")} will be canceled and never sent. `}
      The log of past deliveries is kept.
    </Confirm>
  );
}
