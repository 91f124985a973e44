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

const complaint = async (environment: Record<string, string>): Promise<string> =>
  loadConfig(environment, await folder()).then(
    () => "no complaint",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("defaults", () => {
  test("nothing has to be set, and a first try on one machine may use http and loopback", async () => {
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
      allowHttp: true,
      allowNetworks: ["loopback"],
      retrySchedule_s: null,
      retention_days: 30,
      attemptTimeout_ms: 15_000,
      metricsToken: null,
      traces: false,
      trustProxy: false,
      ffmpeg: null,
    });
    expect([...config.roles]).toEqual(["api", "deliver", "process"]);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("a public URL that others can follow closes http and loopback until they are opened by name", async () => {
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
  ])("that traces are sent is %s with %o", async (traces, environment) => {
    expect((await loadConfig(environment, await folder())).traces).toBe(traces);
  });

  test.each(["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000", "http://mave.localhost"])(
    "%s is a loopback URL",
    async (url) => {
      expect((await loadConfig({ MAVE_PUBLIC_URL: url }, await folder())).allowHttp).toBe(true);
    },
  );

  test("every example in the table of settings is a good value", async () => {
    for (const [name, { example }] of Object.entries(SETTINGS)) {
      if (example === "" || example.startsWith("the output of")) continue;
      const value = name === "MAVE_DATA_DIR" ? join(await folder(), example) : example; // where anybody may write
      const beside = { DATABASE_URL: SETTINGS.DATABASE_URL.example }; // one of them goes with it only
      expect(await complaint({ ...beside, [name]: value }), name).toBe("no complaint");
    }
  });
});

describe("the file .env", () => {
  test("is read, the environment wins over it, and an empty value means not set", async () => {
    const place = await folder();
    await writeFile(join(place, ".env"), "PORT=4000\nLOG_LEVEL=debug\nMAVE_PUBLIC_URL=\n# a comment\n");
    expect(await loadConfig({ LOG_LEVEL: "warn" }, place)).toMatchObject({
      port: 4000,
      logLevel: "warn",
      publicUrl: null,
    });
  });

  test("is checked like the environment", async () => {
    const place = await folder();
    await writeFile(join(place, ".env"), "MAVE_PORT=4000\n");
    await expect(loadConfig({}, place)).rejects.toThrow("MAVE_PORT is not a setting of Mave. Perhaps PORT is meant");
  });
});

describe("mistakes", () => {
  test("are reported all at once, each with its variable, its fault and an example", async () => {
    const said = await complaint({
      PORT: "http",
      DATABASE_URL: "mysql://root:hunter2@db/mave",
      MAVE_PUBLIC_URL: "videos.example.com",
      MAVE_ROLES: "api,sender",
      MAVE_RETRY_SCHEDULE: "5,,10",
      MAVE_ALLOW_NETWORKS: "10.0.0.0/33",
      MAVE_SECRETS_KEY: "c2hvcnQ=",
      MAVE_PUBLIC_URI: "https://videos.example.com",
    });
    expect(said.split("\n")).toEqual([
      "StartFailure: 8 settings are wrong:",
      "  MAVE_PUBLIC_URI is not a setting of Mave. Perhaps MAVE_PUBLIC_URL is meant",
      '  PORT is "http", which is not a whole number from 0 to 65535. Example: PORT=3000',
      expect.stringMatching(
        /^ {2}DATABASE_URL is not a URL that begins with postgres:\/\/ or .* Example: DATABASE_URL=/,
      ),
      expect.stringMatching(/^ {2}MAVE_PUBLIC_URL is "videos.example.com", which is not a URL .* Example: /),
      expect.stringMatching(/^ {2}MAVE_SECRETS_KEY holds 5 bytes; 32 are needed. Example: /),
      expect.stringMatching(/^ {2}MAVE_ALLOW_NETWORKS names "10.0.0.0\/33", which is neither an address nor a network/),
      expect.stringMatching(/^ {2}MAVE_ROLES is "sender", which is none of api, deliver, process. Example: /),
      expect.stringMatching(/^ {2}MAVE_RETRY_SCHEDULE is "5,,10", which has an empty place in its list. Example: /),
    ]);
    expect(said).not.toContain("hunter2");
  });

  test.each([
    [{ MAVE_PUBLIC_URL: "https://example.com/mave" }, /host name of its own, without a path/],
    [{ MAVE_PUBLIC_URL: "https://me:pw@example.com" }, /user name or password/],
    [{ MAVE_ALLOW_HTTP: "maybe" }, /neither on nor off/],
    [{ MAVE_ATTEMPT_TIMEOUT_MS: "15001" }, /from 100 to 15000/],
    [{ MAVE_METRICS_TOKEN: "short" }, /5 characters; fewer than 16 can be guessed/],
    [{ MAVE_S3_BUCKET: "videos" }, /not supported by this version yet: files are kept in MAVE_DATA_DIR/],
    [{ MAVE_TRUST_PROXY: "nginx" }, /neither an address nor a network/],
    [
      { MAVE_DATABASE_DIRECT_URL: "postgres://db.internal/mave" },
      /a second way to the database of DATABASE_URL, which/,
    ],
    [{ LOG_LEVEL: "loud" }, /none of fatal, error, warn/],
    [{ MAVE_ZZZZZZZZZZZZZZZZZZ: "1" }, /look its name up in docs\/configuration.md/],
  ])("%o is refused", async (environment, sentence) => {
    expect(await complaint(environment as unknown as Record<string, string>)).toMatch(sentence);
  });
});

describe("the secrets key", () => {
  test("is made once, readable by its owner only, and the same after that, also for two who make it at once", async () => {
    const place = await folder();
    const [one, other] = await Promise.all([loadConfig({}, place), loadConfig({}, place)]);
    expect(one.secretsKeys.map(({ length }) => length)).toEqual([32]);
    expect(other.secretsKeys).toEqual(one.secretsKeys);
    expect((await loadConfig({}, place)).secretsKeys).toEqual(one.secretsKeys);
    const file = join(place, "data/secrets.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toBe(`${one.secretsKeys[0]!.toString("base64")}\n`);
  });

  test("that others could read is closed to them", async () => {
    const place = await folder();
    await loadConfig({}, place);
    await chmod(join(place, "data/secrets.key"), 0o644);
    await loadConfig({}, place);
    expect((await stat(join(place, "data/secrets.key"))).mode & 0o777).toBe(0o600);
  });

  test("that is damaged stops the start: sealed secrets could not be opened", async () => {
    const place = await folder();
    await loadConfig({}, place);
    await writeFile(join(place, "data/secrets.key"), "damaged\n");
    await expect(loadConfig({}, place)).rejects.toThrow(/secrets\.key .*Restore that file from a backup/);
  });

  test("is taken from the environment where that gives one", async () => {
    const key = Buffer.alloc(32, 7);
    const place = await folder();
    expect((await loadConfig({ MAVE_SECRETS_KEY: key.toString("base64url") }, place)).secretsKeys).toEqual([key]);
    await expect(stat(join(place, "data/secrets.key"))).rejects.toThrow("ENOENT");
  });

  test("cannot be made where the data folder cannot be written, and the sentence names it", async () => {
    expect(await complaint({ MAVE_DATA_DIR: "/dev/null/data" })).toMatch(
      /^StartFailure: The data folder \/dev\/null\/data cannot be written \(.*\)\. Make it writable/,
    );
  });
});
