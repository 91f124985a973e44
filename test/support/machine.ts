/**
 * Returns whether to skip tests that need this program. Only `npm test` skips them, and it prints which ones and why.
 * In any other run, a test fails if its program is missing.
 *
 *     describe.skipIf(without("ffmpeg"))("…", () => {})
 */
export function without(program: "ffmpeg" | "chromium" | "openssl" | "postgresql" | "pgbouncer"): boolean {
  return (process.env.TEST_WITHOUT ?? "").split(",").includes(program);
}
