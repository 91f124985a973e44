/** Resumes a webhook, with a preview of the held deliveries and the option to skip old ones. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { healthQuery } from "../api/queries.ts";
import type { Webhook } from "../api/types.ts";
import { nowSeconds } from "../clock.ts";
import { type CancellationBody, cancelAll, previewCancellation } from "../deliveries/bulk-requests.ts";
import { deliveryCount } from "../deliveries/delivery-text.ts";
import { webhookName } from "../deliveries/names.ts";
import { fieldTime } from "../replays/replay-form.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { SkipFields } from "./skip-fields.tsx";
import { type SkipDraft, skipRange } from "./skip-range.ts";
import { resumeText } from "./webhook-problems.ts";

interface ResumeProps {
  webhook: Webhook;
  open: boolean;
  onClose: () => void;
}

const HOUR = 3_600;

export function ResumeDialog({ webhook, open, onClose }: ResumeProps) {
  const { data: health } = useQuery(healthQuery(webhook.id));
  const [draft, setDraft] = useState<SkipDraft>();
  const range = draft && skipRange(draft);
  const skipped = range && { webhook: webhook.id, status: "pending" as const, ...range };
  const query = usePreview(skipped, open);
  const preview = skipped && query.data;
  const held = health?.pending ?? 0;
  const resume = useResume(webhook, held, skipped, onClose);
  const initial = { from: undefined, before: fieldTime(nowSeconds() - HOUR) };
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Resume ${webhookName(webhook)}`}
      verb={draft ? "Skip and resume" : "Resume"}
      busy={resume.isPending}
      disabled={draft !== undefined && preview === undefined}
      error={resume.error ?? query.error}
      onConfirm={() => resume.mutate()}
      more={
        held > 0 && (
          <SkipFields
            {...{ draft, initial, preview, held }}
            oldest={health?.oldest_pending ?? nowSeconds() - 2 * HOUR}
            onChange={setDraft}
          />
        )
      }
    >
      {resumeText(health, webhook, nowSeconds())}
    </Confirm>
  );
}

/** Cancels the skipped deliveries before enabling the webhook, so that none of them are sent. */
function useResume(webhook: Webhook, held: number, skipped: CancellationBody | undefined, onClose: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const left = skipped ? held - (await cancelAll({ ...skipped, reason: "Skipped on resume." })) : held;
      await api.patch<Webhook>(`/v1/webhooks/${webhook.id}`, { status: "enabled" });
      return Math.max(0, left);
    },
    onSuccess: (left) => {
      onClose();
      toast(left > 0 ? `Resumed. Sending ${deliveryCount(left)}.` : "Resumed");
    },
    onSettled: () =>
      Promise.all(["webhook", "health"].map((topic) => queries.invalidateQueries({ queryKey: [topic] }))),
  });
}

const usePreview = (skipped: CancellationBody | undefined, enabled: boolean) =>
  useQuery({
    queryKey: ["health", skipped?.webhook, "skip", skipped?.since, skipped?.until],
    queryFn: () => previewCancellation(skipped!),
    enabled: enabled && skipped !== undefined,
  });
