import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Email, Mailer } from "../net/mailer.ts";
import type { Database } from "../store/db.ts";
import { listNews, markTold, type News } from "../store/owner-mail.ts";
import { tryTurn } from "../store/turns.ts";
import { disablesAt, type WebhookRow } from "./webhook.ts";

interface OwnerMailParts extends LoopParts {
  db: Database;
  mailer: Mailer;
  publicUrl: string;
}

/** Emails owners about failing and disabled webhooks, so that they find out without opening the dashboard. */
export interface OwnerMail {
  start(): void;
  stop(): Promise<void>;
  /** Runs one round. Does nothing if another node is already running one. */
  round(): Promise<void>;
}

/**
 * Each round reads the webhooks table to find out which emails to send. If the mail server is unavailable, a later
 * round tries again.
 */
export function createOwnerMail(parts: OwnerMailParts): OwnerMail {
  const stopping = new AbortController();
  const loop = new Loop(parts, {
    name: "mail to owners",
    round: () => round(parts, stopping.signal),
    interval_ms: LIMITS.WEBHOOK_FAILING_CHECK_MS,
    limit_ms: LIMITS.MAIL_ROUND_MS,
    onError: (err) => parts.log.warn({ err }, "Failed to email owners; retrying in the next round"),
  });
  return {
    round: () => round(parts, stopping.signal),
    start: () => void loop.start(),
    async stop() {
      stopping.abort();
      await loop.stop();
      parts.mailer.close();
    },
  };
}

/** Whether the mail server works but rejected this message, for example because an address does not exist. */
const isRejected = (error: unknown): boolean =>
  ["EENVELOPE", "EMESSAGE"].includes((error as { code?: string }).code ?? "");

async function round({ db, log, mailer, publicUrl }: OwnerMailParts, stopping: AbortSignal): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await tryTurn(tx, "mail"))) return;
    for (const webhook of await listNews(tx, LIMITS.MAIL_AGE_MAX_DAYS, LIMITS.MAILS_PER_ROUND_MAX)) {
      if (stopping.aborted) return;
      const about = { webhook: shortUuid(webhook.id), owners: webhook.owners.length };
      try {
        if (webhook.owners.length > 0) await mailer.send(letterAbout(webhook, publicUrl));
      } catch (err) {
        if (!isRejected(err)) throw err;
        log.warn({ err, ...about }, "The mail server rejected an email to owners; retrying in the next round");
        continue; // the other owners must not wait for this one
      }
      // Mark it outside this transaction, so that it stays marked even if a later email fails.
      await markTold(db, webhook);
      log.info(about, "Emailed owners");
    }
  });
}

/** Returns the email about a disabled or failing webhook. Pure. */
export function letterAbout(webhook: News, publicUrl: string): Email {
  const { status, owners: to } = webhook;
  const page = `${publicUrl}/dashboard/webhooks/${shortUuid(webhook.id)}`;
  const lines = status === "disabled" ? disabledLines(webhook) : failingLines(webhook);
  const what = status === "disabled" ? "Webhook disabled" : "Webhook failing";
  return { to, subject: `${what}: ${nameOf(webhook)}`, text: [...lines, "", page, ""].join("\n") };
}

function disabledLines(webhook: WebhookRow): string[] {
  return [
    `The webhook ${webhook.url} was disabled at ${utc(webhook.status_since)}.`,
    webhook.status_reason ?? "",
    "",
    "Events are still recorded and their deliveries are held, so nothing is lost. Resume the webhook once the receiver works again.",
  ];
}

function failingLines(webhook: WebhookRow): string[] {
  const at_s = disablesAt(webhook);
  return [
    `Every attempt to deliver to the webhook ${webhook.url} has failed since ${utc(webhook.failing_since!)}.`,
    ...(at_s === null
      ? []
      : [`If no delivery succeeds by ${utc(new Date(at_s * 1000))}, the webhook will be disabled.`]),
    "",
    "Until then, its deliveries are kept and retried.",
  ];
}

/** Returns the webhook's description or host on one line, because a line break could add headers to the email. */
const nameOf = ({ description, url }: WebhookRow): string =>
  (description ?? new URL(url).host).replace(/\s+/g, " ").slice(0, LIMITS.DESCRIPTION_CHARACTERS_MAX);

const utc = (time: Date): string => `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
