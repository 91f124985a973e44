/** What can be done with a webhook: test, edit, pause, resume, replay, delete; each with its counted consequence. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, History, Pause, Pencil, Play, Send, Trash2 } from "lucide-react";
import { ApiError, api } from "../api/client.ts";
import type { Webhook } from "../api/types.ts";
import { webhookName } from "../deliveries/names.ts";
import { Button } from "../ui/button.tsx";
import { Confirm, Dialog } from "../ui/dialog.tsx";
import { Menu } from "../ui/menu.tsx";
import { toast } from "../ui/toast.ts";
import { Resume } from "./resume-dialog.tsx";
import { SendTest } from "./send-test.tsx";
import { deliveries } from "./webhook-problems.ts";

export type Asked = "test" | "resume" | "delete" | undefined;

interface ActionsProps {
  webhook: Webhook;
  open: number;
  asked: Asked;
  ask: (asked: Asked) => void;
}

export function Actions({ webhook, open, asked, ask }: ActionsProps) {
  const { id } = webhook;
  const navigate = useNavigate();
  const { pause } = usePausing(webhook);
  const close = () => ask(undefined);
  const enabled = webhook.status === "enabled";
  return (
    <>
      <Button icon={Send} onClick={() => ask("test")}>
        Send test
      </Button>
      {enabled ? (
        <Button icon={Pause} busy={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      ) : (
        <Button icon={Play} onClick={() => ask("resume")}>
          Resume
        </Button>
      )}
      <Menu
        trigger={<Button icon={Ellipsis} aria-label="More actions" title="More actions" />}
        items={[
          { word: "Edit", icon: Pencil, onSelect: () => void navigate({ to: "/webhooks/$id/edit", params: { id } }) },
          {
            word: "Replay past events",
            icon: History,
            onSelect: () => void navigate({ to: "/replays/new", search: { webhook: id } }),
          },
          { word: "Copy the id", icon: Copy, end: "Y", onSelect: () => void navigator.clipboard.writeText(id) },
          { word: "Delete", icon: Trash2, loss: true, apart: true, onSelect: () => ask("delete") },
        ]}
      />
      <Dialog
        open={asked === "test"}
        onClose={close}
        title="Send a test"
        description="One attempt, no retries. It reaches only this webhook."
      >
        <SendTest webhook={webhook} />
      </Dialog>
      <Resume webhook={webhook} open={asked === "resume"} onClose={close} />
      <Delete webhook={webhook} held={open} open={asked === "delete"} onClose={close} />
    </>
  );
}

function usePausing(webhook: Webhook) {
  const queries = useQueryClient();
  const change = (status: Webhook["status"]) => api.patch<Webhook>(`/v1/webhooks/${webhook.id}`, { status });
  const refresh = () => queries.invalidateQueries({ queryKey: ["webhook"] });
  const undo = () => change("enabled").then(refresh, sayError);
  const pause = useMutation({
    mutationFn: () => change("paused"),
    onSuccess: () => {
      toast("Paused. Events are recorded and held.", { action: { label: "Undo", onClick: () => void undo() } });
      return refresh();
    },
    onError: sayError,
  });
  return { pause };
}

const sayError = (error: unknown) => void toast.error(error instanceof ApiError ? error.problem.detail : String(error));

interface AskProps {
  webhook: Webhook;
  held: number;
  open: boolean;
  onClose: () => void;
}

function Delete({ webhook, held, open, onClose }: AskProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { pause } = usePausing(webhook);
  const remove = useMutation({
    mutationFn: () => api.delete(`/v1/webhooks/${webhook.id}`),
    onSuccess: async () => {
      await navigate({ to: "/webhooks" });
      toast(`${webhookName(webhook)} was deleted.`);
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
      verb="Delete"
      loss
      busy={remove.isPending}
      error={remove.error}
      instead={instead}
      onConfirm={() => remove.mutate()}
    >
      {held === 0
        ? "No delivery is open."
        : `${deliveries(held)} that ${held === 1 ? "is" : "are"} open will be canceled and never sent.`}{" "}
      The log of its past deliveries stays.
    </Confirm>
  );
}
