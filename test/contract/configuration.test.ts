/** Checks that docs/configuration.md and config.ts agree on settings, examples and defaults. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig, SETTINGS } from "../../server/src/config/config.ts";
import { RETRY_SCHEDULE_S } from "../../server/src/delivery/retry-schedule.ts";
import { ROOT } from "../support/server.ts";

const page = await readFile(join(ROOT, "docs/configuration.md"), "utf8");
const rows = [...page.matchAll(/^\| `([A-Z_0-9]+)` \| (.*?) ?\| (.*?) ?\| (.+) \|$/gm)].map(
  ([, name, standard, example]) => ({
    name: name!,
    standard: standard!,
    example: example!.replaceAll("`", ""),
  }),
);

const folder = await mkdtemp(join(tmpdir(), "mave-configuration-"));
afterAll(() => rm(folder, { recursive: true }));

test("docs/configuration.md lists every setting with its example, in the same order as the code", () => {
  const settings = Object.entries(SETTINGS).map(([name, { example }]) => ({ name, example }));
  expect(rows.map(({ name, example }) => ({ name, example }))).toEqual(settings);
});

test("docs/configuration.md lists the defaults that apply in an empty environment", async () => {
  const config = await loadConfig({}, folder);
  const inCode: Record<string, unknown> = {
    PORT: config.port,
    HOST: config.host,
    DATABASE_URL: config.databaseUrl ?? "none",
    SMTP_URL: config.smtpUrl ?? "none",
    LOG_LEVEL: config.logLevel,
    MAVE_RETENTION_DAYS: config.retention_days,
    MAVE_ATTEMPT_TIMEOUT_MS: config.attemptTimeout_ms,
    MAVE_UPLOAD_MAX_BYTES: config.uploadMaxBytes,
    MAVE_METRICS_TOKEN: config.metricsToken ?? "none",
    MAVE_METRICS_PORT: config.metricsPort ?? "none",
    MAVE_RETRY_SCHEDULE: RETRY_SCHEDULE_S.join(),
    MAVE_ROLES: [...config.roles].join(),
  };
  const onPage = rows.filter(({ name }) => name in inCode).map(({ name, standard }) => [name, standard]);
  expect(Object.fromEntries(onPage)).toEqual(
    Object.fromEntries(Object.entries(inCode).map(([name, value]) => [name, String(value)])),
  );
});

test("http URLs and loopback addresses are allowed by default if MAVE_PUBLIC_URL is a loopback URL, but not if it is public", async () => {
  const { allowHttp, allowNetworks } = await loadConfig({}, folder);
  expect([allowHttp, allowNetworks]).toEqual([true, ["loopback"]]);
  const open = await loadConfig({ MAVE_PUBLIC_URL: "https://videos.example.com" }, folder);
  expect([open.allowHttp, open.allowNetworks]).toEqual([false, []]);
});
