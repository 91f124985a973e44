/**
 * Whether a program that a test needs is there. Only `npm test` leaves tests out, having said which and why; run
 * otherwise, a test without its program fails.
 *
 *     describe.skipIf(without("ffmpeg"))("…", () => {})
 */
export function without(program: "ffmpeg" | "chromium" | "openssl" | "postgresql" | "pgbouncer"): boolean {
  return (process.env.TEST_WITHOUT ?? "").split(",").includes(program);
}
