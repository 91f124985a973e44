/** Resuming: how much is held, how long it takes, and the choice to leave out what is too old to be of use. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { healthQuery } from "../api/queries.ts";
import type { Cancelation, Webhook } from "../api/types.ts";
import { nowSeconds } from "../clock.ts";
import { cancelAll } from "../deliveries/cancel.ts";
import { webhookName } from "../deliveries/names.ts";
import { fieldTime, unixTime } from "../replays/form.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { toast } from "../ui/toast.ts";
import { deliveries, resumeWords } from "./trouble.ts";

interface ResumeProps {
  webhook: Webhook;
  open: boolean;
  onClose: () => void;
}

const HOUR = 3_600;

export function Resume({ webhook, open, onClose }: ResumeProps) {
  const queries = useQueryClient();
  const { data: health } = useQuery(healthQuery(webhook.id));
  const [skips, setSkips] = useState(false);
  const [until, setUntil] = useState(() => fieldTime(nowSeconds() - HOUR));
  const held = health?.open ?? 0;
  const filter = { webhook: webhook.id, status: "open" as const, until: unixTime(until) };
  const valid = Number.isInteger(filter.until);
  const skipped = useSkipped(filter, open && skips && valid);
  const resume = useMutation({
    mutationFn: async () => {
      const left = skips ? held - (await cancelAll({ ...filter, reason: "Skipped on resume." })) : held;
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
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Resume ${webhookName(webhook)}?`}
      verb={skips ? "Skip and resume" : "Resume"}
      busy={resume.isPending}
      disabled={skips && skipped === undefined}
      error={resume.error}
      onConfirm={() => resume.mutate()}
      more={
        held > 0 && (
          <div className="flex flex-col gap-3">
            <Checkbox
              label="Skip those of old events"
              hint="They are canceled, never sent, and say so in the log."
              checked={skips}
              onChange={({ target }) => setSkips(target.checked)}
            />
            {skips && (
              <TextField
                label="Skip events from before"
                type="datetime-local"
                value={until}
                error={valid ? undefined : "Choose a day and a time."}
                hint={skipWords(skipped, held)}
                onChange={({ target }) => setUntil(target.value)}
              />
            )}
          </div>
        )
      }
    >
      {resumeWords(health, webhook, nowSeconds())}
    </Confirm>
  );
}

/** How many would be skipped; undefined while that is not known. */
function useSkipped(filter: { webhook: string; status: "open"; until: number }, enabled: boolean): number | undefined {
  const { data } = useQuery({
    queryKey: ["health", filter.webhook, "skip", filter.until],
    queryFn: () => api.post<Cancelation>("/v1/cancelations", { ...filter, dry_run: true }),
    enabled,
  });
  return data?.total;
}

function skipWords(skipped: number | undefined, held: number): string {
  if (skipped === undefined) return "Counting…";
  if (skipped === 0) return "None of them is that old.";
  return `${deliveries(skipped)} will be skipped, ${deliveries(Math.max(0, held - skipped))} sent.`;
}
