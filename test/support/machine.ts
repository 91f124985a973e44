/**
 * Whether to skip tests that need this program. Only `npm test` skips them, and it prints which and why; otherwise a
 * test without its program fails.
 *
 *     describe.skipIf(without("ffmpeg"))("…", () => {})
 */
export function without(program: "ffmpeg" | "chromium" | "openssl" | "postgresql" | "pgbouncer"): boolean {
  return (process.env.TEST_WITHOUT ?? "").split(",").includes(program);
}
