import nodemailer from "nodemailer";
import { LIMITS } from "../kernel/limits.ts";

export interface Email {
  to: readonly string[];
  subject: string;
  /** Plain text, never HTML. */
  text: string;
}

export interface Mailer {
  /** @throws if the mail server is unreachable or rejects the email */
  send(email: Email): Promise<void>;
  close(): void;
}

/**
 * Sends email through the operator's SMTP server (SMTP_URL). The sender address is the URL's `from` parameter if it is
 * set. Otherwise, it is the URL's user name if that is an email address, or `mave@` followed by the public URL's host.
 */
export function createMailer({ url, publicUrl }: { url: string; publicUrl: string }): Mailer {
  const server = new URL(url);
  const user = decodeURIComponent(server.username);
  const from = server.searchParams.get("from") ?? (user.includes("@") ? user : `mave@${new URL(publicUrl).hostname}`);
  server.searchParams.delete("from");
  const { MAIL_MS } = LIMITS;
  const timeouts = { connectionTimeout: MAIL_MS, greetingTimeout: MAIL_MS, socketTimeout: MAIL_MS };
  const transport = nodemailer.createTransport(
    { url: server.href, ...timeouts, disableFileAccess: true, disableUrlAccess: true },
    { from },
  );
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ to: [...to], subject, text });
    },
    close: () => transport.close(),
  };
}
