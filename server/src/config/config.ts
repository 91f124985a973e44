import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { LIMITS } from "../kernel/limits.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { loadCertificates } from "./certificates.ts";
import { loadSecretsKeys } from "./secrets-key.ts";
import * as read from "./settings.ts";

export const ROLES = ["api", "deliver", "process"] as const;
export type Role = (typeof ROLES)[number];

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const YEAR_S = 31_536_000; // 365 days

/** The parser and an example value for each setting. `loadConfig` sets the defaults. */
export const SETTINGS = {
  PORT: { read: read.integer(0, 65_535), example: "3000" },
  HOST: { read: read.text, example: "0.0.0.0" },
  DATABASE_URL: { read: read.url("postgres:", "postgresql:"), example: "postgres://mave:password@db.internal/mave" },
  MAVE_DATABASE_DIRECT_URL: {
    read: read.url("postgres:", "postgresql:"),
    example: "postgres://mave:password@db.internal/mave",
  },
  SMTP_URL: { read: read.url("smtp:", "smtps:"), example: "smtp://user:password@mail.example.com:587" },
  LOG_LEVEL: { read: read.oneOf(LOG_LEVELS), example: "info" },
  MAVE_PUBLIC_URL: { read: read.origin, example: "https://videos.example.com" },
  MAVE_DATA_DIR: { read: read.text, example: "/var/lib/mave/data" },
  MAVE_SECRETS_KEY: { read: read.keys(32), example: "the output of: openssl rand -base64 32" },
  MAVE_ALLOW_HTTP: { read: read.flag, example: "off" },
  MAVE_ALLOW_NETWORKS: { read: read.networks, example: "10.1.0.0/16,loopback" },
  MAVE_ROLES: { read: read.someOf(ROLES), example: "api,deliver,process" },
  MAVE_CA_FILE: { read: read.text, example: "/etc/mave/private-ca.pem" },
  MAVE_CLIENT_CERT_FILE: { read: read.text, example: "/etc/mave/client.pem" },
  MAVE_CLIENT_KEY_FILE: { read: read.text, example: "/etc/mave/client-key.pem" },
  MAVE_RETRY_SCHEDULE: { read: read.integers(0, YEAR_S, 100), example: "5,300,1800,7200" },
  MAVE_RETENTION_DAYS: { read: read.integer(1, 3_650), example: "30" },
  MAVE_ATTEMPT_TIMEOUT_MS: { read: read.integer(100, LIMITS.ATTEMPT_TOTAL_MS), example: "15000" },
  MAVE_UPLOAD_MAX_BYTES: { read: read.integer(1, Number.MAX_SAFE_INTEGER), example: "20000000000" },
  MAVE_METRICS_TOKEN: { read: read.secret(16), example: "the output of: openssl rand -hex 16" },
  MAVE_METRICS_PORT: { read: read.integer(1, 65_535), example: "9464" },
  MAVE_TRUST_PROXY: { read: read.proxies, example: "on" },
  MAVE_FFMPEG: { read: read.text, example: "/usr/local/bin/ffmpeg" },
} as const satisfies Record<string, { read: read.Reader<unknown>; example: string }>;

type Setting = keyof typeof SETTINGS;
type Values = { [Name in Setting]?: ReturnType<(typeof SETTINGS)[Name]["read"]> };
export type Environment = Readonly<Record<string, string | undefined>>;

export type Config = Awaited<ReturnType<typeof loadConfig>>;

/**
 * Reads the settings from the environment and from the file `.env` in the working directory. The environment takes
 * precedence. Creates the data folder and the secrets key if they do not exist.
 * @throws StartFailure with a list of all invalid settings
 */
export async function loadConfig(environment: Environment = process.env, folder = process.cwd()) {
  const values = readSettings({ ...readEnvFile(folder), ...environment });
  const port = values.PORT ?? 3000;
  const dataDir = resolve(folder, values.MAVE_DATA_DIR ?? "data");
  const publicUrl = values.MAVE_PUBLIC_URL;
  const local = publicUrl === undefined || isLoopback(publicUrl);
  return Object.freeze({
    port,
    host: values.HOST ?? "127.0.0.1",
    /** Null selects the embedded PostgreSQL. */
    databaseUrl: values.DATABASE_URL ?? null,
    /** The database's own address, in case `databaseUrl` points to a connection pooler. */
    databaseDirectUrl: values.MAVE_DATABASE_DIRECT_URL ?? null,
    smtpUrl: values.SMTP_URL ?? null,
    logLevel: values.LOG_LEVEL ?? "info",
    /** An origin without a trailing slash. Null means `http://localhost:` plus the port. */
    publicUrl: publicUrl ?? null,
    dataDir,
    /**
     * 32 bytes each. The first key encrypts webhook secrets in the database; the others are only used for decryption.
     */
    secretsKeys: values.MAVE_SECRETS_KEY ?? (await loadSecretsKeys(dataDir)),
    allowHttp: values.MAVE_ALLOW_HTTP ?? local,
    /** IP addresses, networks in CIDR notation, and `loopback`. */
    allowNetworks: values.MAVE_ALLOW_NETWORKS ?? (local ? ["loopback"] : []),
    ...(await loadCertificates(values)),
    roles: new Set<Role>(values.MAVE_ROLES ?? ROLES),
    /** Seconds before each retry. Null selects the default schedule. */
    retrySchedule_s: values.MAVE_RETRY_SCHEDULE ?? null,
    retention_days: values.MAVE_RETENTION_DAYS ?? 30,
    attemptTimeout_ms: values.MAVE_ATTEMPT_TIMEOUT_MS ?? LIMITS.ATTEMPT_TOTAL_MS,
    uploadMaxBytes: values.MAVE_UPLOAD_MAX_BYTES ?? LIMITS.UPLOAD_BYTES_MAX,
    /** Whether spans are exported. The OpenTelemetry SDK reads its own settings, such as the collector's URL. */
    traces: areTracesEnabled(environment),
    metricsToken: values.MAVE_METRICS_TOKEN ?? null,
    /** A port of the loopback interface that serves /metrics without a token. */
    metricsPort: values.MAVE_METRICS_PORT ?? null,
    /** The addresses of the proxies whose X-Forwarded-… headers are trusted. True trusts one proxy at any address. */
    trustProxy: values.MAVE_TRUST_PROXY ?? false,
    /** Path to ffmpeg. ffprobe must be in the same folder. */
    ffmpeg: values.MAVE_FFMPEG ?? null,
  });
}

/** Checks the environment but not `.env`, because the OpenTelemetry SDK does not read that file. */
function areTracesEnabled(environment: Environment): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_SDK_DISABLED } = environment;
  return Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) && OTEL_SDK_DISABLED !== "true";
}

function readEnvFile(folder: string): Environment {
  try {
    return parseEnv(readFileSync(join(folder, ".env"), "utf8")) as Environment;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new StartFailure(`The file ${join(folder, ".env")} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

function readSettings(environment: Environment): Values {
  const errors = unknownSettings(environment);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const text = environment[name]?.trim();
    if (!text) continue; // an empty value, as in `NAME=`, counts as not set
    try {
      values[name] = setting.read(text);
    } catch (error) {
      if (!(error instanceof read.InvalidSetting)) throw error;
      errors.push(`${name} ${error.message}. Example: ${name}=${setting.example}`);
    }
  }
  if (values.MAVE_DATABASE_DIRECT_URL && !values.DATABASE_URL)
    errors.push("MAVE_DATABASE_DIRECT_URL needs DATABASE_URL, which is not set.");
  if (errors.length > 0) throw new StartFailure(report(errors));
  return values as Values;
}

function report(errors: string[]): string {
  const head = errors.length === 1 ? "1 setting is invalid:" : `${errors.length} settings are invalid:`;
  return [head, ...errors.map((error) => `  ${error}`)].join("\n");
}

function unknownSettings(environment: Environment): string[] {
  const names = Object.keys(environment).filter((name) => name.startsWith("MAVE_") && !Object.hasOwn(SETTINGS, name));
  return names.map((name) => `${name} is not a setting. ${read.nearest(name, Object.keys(SETTINGS))}`);
}

/** Returns whether the URL's host is this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
