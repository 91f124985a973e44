import {
  Ban,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleSlash2,
  CircleX,
  LoaderCircle,
  type LucideIcon,
  RotateCw,
  TriangleAlert,
} from "lucide-react";
import type { DeliveryStatus, Video, Webhook } from "../api/types.ts";
import { classes } from "./classes.ts";

/** `quiet` and `good` need no action, `busy` means in progress, `warn` may need attention, and `bad` needs action. */
export type Tone = "quiet" | "good" | "busy" | "warn" | "bad";
export interface State {
  label: string;
  icon: LucideIcon;
  tone: Tone;
}

const deliveryStates: Record<DeliveryStatus, State> = {
  waiting: { label: "Waiting", icon: CircleDashed, tone: "quiet" },
  sending: { label: "Sending", icon: LoaderCircle, tone: "busy" },
  retrying: { label: "Retrying", icon: RotateCw, tone: "warn" },
  held: { label: "Held", icon: CirclePause, tone: "quiet" },
  succeeded: { label: "Succeeded", icon: CircleCheck, tone: "good" },
  failed: { label: "Failed", icon: CircleX, tone: "bad" },
  canceled: { label: "Canceled", icon: CircleSlash2, tone: "quiet" },
};

export const deliveryState = (status: DeliveryStatus): State => deliveryStates[status];

export const isFailing = (webhook: Pick<Webhook, "status" | "failing_since">): boolean =>
  webhook.status === "enabled" && webhook.failing_since !== null;

export function webhookState(webhook: Pick<Webhook, "status" | "failing_since">): State {
  if (webhook.status === "paused") return { label: "Paused", icon: CirclePause, tone: "quiet" };
  if (webhook.status === "disabled") return { label: "Disabled", icon: Ban, tone: "bad" };
  if (isFailing(webhook)) return { label: "Failing", icon: TriangleAlert, tone: "bad" };
  return { label: "Enabled", icon: CircleCheck, tone: "good" };
}

export function videoState({ status, progress }: Pick<Video, "status" | "progress">): State {
  const share = progress === null ? "" : ` ${progress}%`;
  if (status === "waiting") return { label: "No file yet", icon: CircleDashed, tone: "quiet" };
  if (status === "uploading") return { label: `Uploading${share}`, icon: LoaderCircle, tone: "busy" };
  if (status === "processing") return { label: `Processing${share}`, icon: LoaderCircle, tone: "busy" };
  if (status === "failed") return { label: "Failed", icon: CircleX, tone: "bad" };
  return { label: "Ready", icon: CircleCheck, tone: "good" };
}

const words: Record<Tone, string> = {
  quiet: "text-text-2",
  good: "text-text-2",
  busy: "text-accent font-medium",
  warn: "text-warn font-medium",
  bad: "text-bad font-medium",
};
const tints: Record<Tone, string> = {
  quiet: "bg-neutral-tint text-text-2",
  good: "bg-ok-tint text-ok",
  busy: "bg-accent-tint text-accent",
  warn: "bg-warn-tint text-warn",
  bad: "bg-bad-tint text-bad",
};

/** An icon and a label, for rows. */
export function Status({ state: { label, icon: Icon, tone } }: { state: State }) {
  const spin = Icon === LoaderCircle && "animate-spin";
  return (
    <span className={classes("inline-flex items-center gap-1.5 align-top whitespace-nowrap numbers", words[tone])}>
      <Icon size={14} className={classes("shrink-0", tone === "good" && "text-mark-ok", spin)} aria-hidden />
      {label}
    </span>
  );
}

/** An icon and a label on a tinted background, for page headings only. */
export function Badge({ state: { label, icon: Icon, tone } }: { state: State }) {
  return (
    <span
      className={classes(
        "inline-flex h-6 items-center gap-1.5 rounded-tag px-2 font-medium whitespace-nowrap numbers",
        tints[tone],
      )}
    >
      <Icon size={14} className={classes("shrink-0", Icon === LoaderCircle && "animate-spin")} aria-hidden />
      {label}
    </span>
  );
}
