import pino, { type Logger } from "pino";

export type Log = Logger;

/** Paths whose values never reach a log line, whoever logs them. */
const REDACTED = [
  "secret",
  "*.secret",
  "authorization",
  "*.authorization",
  "cookie",
  "*.cookie",
  "password",
  "*.password",
];

/**
 * The service's log: JSON lines, or readable ones where standard output is a terminal.
 * @param level one of pino's level words; `silent` for tests
 */
export function createLog(level: string, terminal = process.stdout.isTTY === true): Log {
  const options = { level, base: null, redact: { paths: REDACTED, censor: "[hidden]" } };
  if (!terminal) return pino(options);
  return pino({
    ...options,
    transport: { target: "pino-pretty", options: { translateTime: "HH:MM:ss", ignore: "pid,hostname" } },
  });
}
