import nodemailer from "nodemailer";
import { LIMITS } from "../kernel/limits.ts";

export interface Letter {
  to: readonly string[];
  subject: string;
  /** Plain text: nothing in it is ever read as HTML. */
  text: string;
}

export interface Mailer {
  /** @throws where the mail server could not be reached or did not take it */
  send(letter: Letter): Promise<void>;
  close(): void;
}

/**
 * Mail by the operator's own server (SMTP_URL). The sender's address is the URL's `from` parameter, else its user name
 * where that is an address, else `mave@` and the host of the public URL.
 */
export function createMailer({ url, publicUrl }: { url: string; publicUrl: string }): Mailer {
  const server = new URL(url);
  const user = decodeURIComponent(server.username);
  const from = server.searchParams.get("from") ?? (user.includes("@") ? user : `mave@${new URL(publicUrl).hostname}`);
  server.searchParams.delete("from");
  const { MAIL_MS } = LIMITS;
  const bounds = { connectionTimeout: MAIL_MS, greetingTimeout: MAIL_MS, socketTimeout: MAIL_MS };
  const transport = nodemailer.createTransport(
    { url: server.href, ...bounds, disableFileAccess: true, disableUrlAccess: true },
    { from },
  );
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ to: [...to], subject, text });
    },
    close: () => transport.close(),
  };
}
