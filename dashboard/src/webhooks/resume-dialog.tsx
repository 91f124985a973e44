/** Resuming: how much is held, how long it takes, and the choice to leave out what is too old to be of use. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { healthQuery } from "../api/queries.ts";
import type { Webhook } from "../api/types.ts";
import { nowSeconds } from "../clock.ts";
import { type CancelFilter, cancelAll, countCancel } from "../deliveries/cancellations.ts";
import { webhookName } from "../deliveries/names.ts";
import { fieldTime } from "../replays/replay-form.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { SkipFields } from "./skip-fields.tsx";
import { type SkipDraft, skipRange } from "./skip-range.ts";
import { deliveries, resumeWords } from "./webhook-problems.ts";

interface ResumeProps {
  webhook: Webhook;
  open: boolean;
  onClose: () => void;
}

const HOUR = 3_600;

export function Resume({ webhook, open, onClose }: ResumeProps) {
  const { data: health } = useQuery(healthQuery(webhook.id));
  const [draft, setDraft] = useState<SkipDraft>();
  const range = draft && skipRange(draft);
  const filter = range && { webhook: webhook.id, status: "pending" as const, ...range };
  const count = useCounted(filter, open);
  const counted = filter && count.data;
  const held = health?.pending ?? 0;
  const resume = useResuming(webhook, held, filter, onClose);
  const first = { from: undefined, before: fieldTime(nowSeconds() - HOUR) };
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Resume ${webhookName(webhook)}?`}
      verb={draft ? "Skip and resume" : "Resume"}
      busy={resume.isPending}
      disabled={draft !== undefined && counted === undefined}
      error={resume.error ?? count.error}
      onConfirm={() => resume.mutate()}
      more={
        held > 0 && (
          <SkipFields
            {...{ draft, first, counted, held }}
            oldest={health?.oldest_pending ?? nowSeconds() - 2 * HOUR}
            onChange={setDraft}
          />
        )
      }
    >
      {resumeWords(health, webhook, nowSeconds())}
    </Confirm>
  );
}

/** First cancels what is skipped, then lets the rest go. */
function useResuming(webhook: Webhook, held: number, skipped: CancelFilter | undefined, onClose: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const left = skipped ? held - (await cancelAll({ ...skipped, reason: "Skipped on resume." })) : held;
      await api.patch<Webhook>(`/v1/webhooks/${webhook.id}`, { status: "enabled" });
      return Math.max(0, left);
    },
    onSuccess: (left) => {
      onClose();
      toast(left > 0 ? `Resumed. ${deliveries(left)} on their way.` : "Resumed.");
    },
    onSettled: () =>
      Promise.all(["webhook", "health"].map((topic) => queries.invalidateQueries({ queryKey: [topic] }))),
  });
}

/** How many would be skipped. */
const useCounted = (filter: CancelFilter | undefined, enabled: boolean) =>
  useQuery({
    queryKey: ["health", filter?.webhook, "skip", filter?.since, filter?.until],
    queryFn: () => countCancel(filter!),
    enabled: enabled && filter !== undefined,
  });
