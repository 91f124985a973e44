import pino, { type Logger } from "pino";

export type Log = Logger;

/** Fields whose values are always redacted in log lines. */
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
 * Creates the server log, which writes JSON lines, or readable lines if standard output is a terminal.
 * @param level a pino level; `silent` for tests
 */
export function createLog(level: string, terminal = process.stdout.isTTY === true): Log {
  const options = { level, base: null, redact: { paths: REDACTED, censor: "[hidden]" } };
  if (!terminal) return pino(options);
  return pino({
    ...options,
    transport: { target: "pino-pretty", options: { translateTime: "HH:MM:ss", ignore: "pid,hostname" } },
  });
}
