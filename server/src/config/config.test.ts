import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig, SETTINGS } from "./config.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function folder(): Promise<string> {
  folders.push(await mkdtemp(join(tmpdir(), "mave-config-")));
  return folders.at(-1)!;
}

const failure = async (environment: Record<string, string>): Promise<string> =>
  loadConfig(environment, await folder()).then(
    () => "no failure",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("the default configuration", () => {
  test("needs no settings, and allows HTTP and loopback addresses", async () => {
    const place = await folder();
    const config = await loadConfig({}, place);
    expect(config).toMatchObject({
      port: 3000,
      host: "127.0.0.1",
      databaseUrl: null,
      databaseDirectUrl: null,
      smtpUrl: null,
      logLevel: "info",
      publicUrl: null,
      dataDir: join(place, "data"),
      extraCa: undefined,
      clientCertificate: undefined,
      allowHttp: true,
      allowNetworks: ["loopback"],
      retrySchedule_s: null,
      retention_days: 30,
      attemptTimeout_ms: 15_000,
      metricsToken: null,
      metricsPort: null,
      traces: false,
      trustProxy: false,
      ffmpeg: null,
    });
    expect([...config.roles]).toEqual(["api", "deliver", "process"]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("allows neither HTTP nor loopback addresses if there is a public URL, unless settings allow them", async () => {
    const open = { MAVE_PUBLIC_URL: "https://videos.example.com/" };
    expect(await loadConfig(open, await folder())).toMatchObject({
      publicUrl: "https://videos.example.com",
      allowHttp: false,
      allowNetworks: [],
    });
    const named = { ...open, MAVE_ALLOW_HTTP: "on", MAVE_ALLOW_NETWORKS: "10.1.0.0/16, fd00::/8,192.0.2.7" };
    expect(await loadConfig(named, await folder())).toMatchObject({
      allowHttp: true,
      allowNetworks: ["10.1.0.0/16", "fd00::/8", "192.0.2.7"],
    });
  });

  test.each([
    [true, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.internal:4318" }],
    [true, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector.internal:4318/v1/traces" }],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    [false, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.internal:4318", OTEL_SDK_DISABLED: "true" }],
    [false, { OTEL_SERVICE_NAME: "mave" }],
  ])("sets tracing to %s with the environment %o", async (traces, environment) => {
    expect((await loadConfig(environment, await folder())).traces).toBe(traces);
  });

  test.each(["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000", "http://mave.localhost"])(
    "treats %s as a loopback URL",
    async (url) => {
      expect((await loadConfig({ MAVE_PUBLIC_URL: url }, await folder())).allowHttp).toBe(true);
    },
  );

  test("accepts each setting's example value", async () => {
    for (const [name, { example }] of Object.entries(SETTINGS)) {
      if (example.startsWith("the output of") || name.endsWith("_FILE")) continue; // certificates.test.ts reads files
      const value = name === "MAVE_DATA_DIR" ? join(await folder(), example) : example; // a writable folder
      const beside = { DATABASE_URL: SETTINGS.DATABASE_URL.example }; // MAVE_DATABASE_DIRECT_URL needs it
      expect(await failure({ ...beside, [name]: value }), name).toBe("no failure");
    }
  });
});

describe("the file .env", () => {
  test("is read, but the environment takes precedence and an empty value counts as not set", async () => {
    const place = await folder();
    await writeFile(join(place, ".env"), "PORT=4000\nLOG_LEVEL=debug\nMAVE_PUBLIC_URL=\n# a comment\n");
    expect(await loadConfig({ LOG_LEVEL: "warn" }, place)).toMatchObject({
      port: 4000,
      logLevel: "warn",
      publicUrl: null,
    });
  });

  test("is validated like the environment", async () => {
    const place = await folder();
    await writeFile(join(place, ".env"), "MAVE_PORT=4000\n");
    await expect(loadConfig({}, place)).rejects.toThrow("MAVE_PORT is not a setting. Did you mean PORT?");
  });
});

describe("invalid settings", () => {
  test("are all reported at once, each with its name, the reason and an example", async () => {
    const message = await failure({
      PORT: "http",
      DATABASE_URL: "mysql://root:hunter2@db/mave",
      MAVE_PUBLIC_URL: "videos.example.com",
      MAVE_ROLES: "api,sender",
      MAVE_RETRY_SCHEDULE: "5,,10",
      MAVE_ALLOW_NETWORKS: "10.0.0.0/33",
      MAVE_SECRETS_KEY: "c2hvcnQ=",
      MAVE_PUBLIC_URI: "https://videos.example.com",
    });
    expect(message.split("\n")).toEqual([
      "StartFailure: 8 settings are invalid:",
      "  MAVE_PUBLIC_URI is not a setting. Did you mean MAVE_PUBLIC_URL?",
      '  PORT must be a whole number from 0 to 65535, not "http". Example: PORT=3000',
      expect.stringMatching(
        /^ {2}DATABASE_URL must be a URL that starts with postgres:\/\/ or .* Example: DATABASE_URL=/,
      ),
      expect.stringMatching(/^ {2}MAVE_PUBLIC_URL must be a URL .*, not "videos.example.com"\. Example: /),
      expect.stringMatching(/^ {2}MAVE_SECRETS_KEY must have 32 bytes, not 5. Example: /),
      expect.stringMatching(
        /^ {2}MAVE_ALLOW_NETWORKS contains "10.0.0.0\/33", which is neither an IP address nor a network/,
      ),
      expect.stringMatching(/^ {2}MAVE_ROLES must be one of api, deliver, process, not "sender". Example: /),
      expect.stringMatching(/^ {2}MAVE_RETRY_SCHEDULE is "5,,10", which contains an empty item. Example: /),
    ]);
    expect(message).not.toContain("hunter2");
  });

  test.each([
    [{ MAVE_PUBLIC_URL: "https://example.com/mave" }, /must not have a path/],
    [{ MAVE_PUBLIC_URL: "https://me:pw@example.com" }, /user name or password/],
    [{ MAVE_ALLOW_HTTP: "maybe" }, /must be on or off/],
    [{ MAVE_ATTEMPT_TIMEOUT_MS: "15001" }, /from 100 to 15000/],
    [{ MAVE_METRICS_TOKEN: "short" }, /must have at least 16 characters, not 5/],
    [{ MAVE_TRUST_PROXY: "nginx" }, /neither an IP address nor a network/],
    [{ MAVE_DATABASE_DIRECT_URL: "postgres://db.internal/mave" }, /needs DATABASE_URL, which is not set/],
    [{ LOG_LEVEL: "loud" }, /must be one of fatal, error, warn/],
    [{ MAVE_ZZZZZZZZZZZZZZZZZZ: "1" }, /see docs\/configuration.md/],
  ])("such as %o are rejected", async (environment, sentence) => {
    expect(await failure(environment as unknown as Record<string, string>)).toMatch(sentence);
  });
});

describe("the secrets key", () => {
  test("is generated only once, even if two processes start at the same time, and is readable only by its owner", async () => {
    const place = await folder();
    const [one, other] = await Promise.all([loadConfig({}, place), loadConfig({}, place)]);
    expect(one.secretsKeys.map(({ length }) => length)).toEqual([32]);
    expect(other.secretsKeys).toEqual(one.secretsKeys);
    expect((await loadConfig({}, place)).secretsKeys).toEqual(one.secretsKeys);
    const file = join(place, "data/secrets.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toBe(`${one.secretsKeys[0]!.toString("base64")}\n`);
  });

  test("has its file permissions tightened if other users can read it", async () => {
    const place = await folder();
    await loadConfig({}, place);
    await chmod(join(place, "data/secrets.key"), 0o644);
    await loadConfig({}, place);
    expect((await stat(join(place, "data/secrets.key"))).mode & 0o777).toBe(0o600);
  });

  test("prevents startup if it is damaged, because webhook secrets could no longer be decrypted", async () => {
    const place = await folder();
    await loadConfig({}, place);
    await writeFile(join(place, "data/secrets.key"), "damaged\n");
    await expect(loadConfig({}, place)).rejects.toThrow(/secrets\.key .*Restore the file from a backup/);
  });

  test("comes from the environment if it is set there", async () => {
    const key = Buffer.alloc(32, 7);
    const place = await folder();
    expect((await loadConfig({ MAVE_SECRETS_KEY: key.toString("base64url") }, place)).secretsKeys).toEqual([key]);
    await expect(stat(join(place, "data/secrets.key"))).rejects.toThrow("ENOENT");
  });

  test("cannot be generated in a folder that is not writable, and the error names the folder", async () => {
    expect(await failure({ MAVE_DATA_DIR: "/dev/null/data" })).toMatch(
      /^StartFailure: The data folder \/dev\/null\/data is not writable \(.*\)\. Make it writable/,
    );
  });
});
