import { hkdfSync } from "node:crypto";
import { createApiKeys } from "./auth/api-keys.ts";
import { createPeople, type People } from "./auth/people.ts";
import { createSignInLink } from "./auth/sign-in-links.ts";
import { createSpaces } from "./auth/spaces.ts";
import { type Config, loadConfig } from "./config/config.ts";
import { createCancellations } from "./delivery/cancellations.ts";
import { createDeliveries } from "./delivery/deliveries.ts";
import { createDeliveryNode } from "./delivery/node.ts";
import { startNotifier } from "./delivery/notifier.ts";
import { createReplays } from "./delivery/replays.ts";
import { RETRY_SCHEDULE_S } from "./delivery/retry-schedule.ts";
import { createSendTest } from "./delivery/test-event.ts";
import { createErasures } from "./events/erasures.ts";
import { createEvents } from "./events/events.ts";
import { createRecorder, type Recorder } from "./events/record.ts";
import { createHttp } from "./http/http.ts";
import { createMetricsServer } from "./http/metrics-server.ts";
import { createTusHandler } from "./http/tus.ts";
import { systemClock } from "./kernel/clock.ts";
import { assertLimits, LIMITS } from "./kernel/limits.ts";
import { createLog, type Log } from "./kernel/log.ts";
import { systemRandom } from "./kernel/random.ts";
import { createSignals } from "./kernel/signals.ts";
import { StartFailure } from "./kernel/start-failure.ts";
import type { Tracing } from "./kernel/trace.ts";
import { Watchdog } from "./kernel/watchdog.ts";
import { createAddressPolicy } from "./net/address-policy.ts";
import { createSafeClient } from "./net/safe-client.ts";
import { createDeliveryMeter } from "./ops/delivery-meter.ts";
import { findPort, portFailure } from "./ops/listening-port.ts";
import { createLive } from "./ops/live.ts";
import { createMetrics, type Metrics } from "./ops/metrics.ts";
import { createRetention } from "./ops/retention.ts";
import { createShutdown, type Shutdown } from "./ops/shutdown.ts";
import { openStore } from "./store/open-store.ts";
import { firstSpace } from "./store/spaces.ts";
import { createLocalBlobs } from "./videos/blobs.ts";
import { FFMPEG_HINT, findFfmpeg } from "./videos/ffmpeg.ts";
import { openFolders } from "./videos/folders.ts";
import { createJanitor } from "./videos/janitor.ts";
import { createLibrary } from "./videos/library.ts";
import { createProcessor } from "./videos/processing.ts";
import { createUploads } from "./videos/upload.ts";
import { Disabling } from "./webhooks/disabling.ts";
import { Health } from "./webhooks/health.ts";
import { createOwnerMail } from "./webhooks/owner-mail.ts";
import { createWebhooks } from "./webhooks/registry.ts";
import { createVault } from "./webhooks/secrets.ts";

const VERSION = "0.1.0";
const SIGN_IN_PRELOAD_DELAY_MS = 500; // after the requests that arrive right after a start

/**
 * Starts the server. This file is the composition root, the only one that constructs services. On shutdown, services
 * stop in the reverse of the order in which they started.
 */
async function main(): Promise<void> {
  assertLimits();
  const config = await loadConfig();
  const log = createLog(config.logLevel);
  const shutdown = createShutdown(log, systemClock);
  const port = await findPort(config.port, config.host);
  const context = await createContext(config, log, shutdown, port);
  await start(context, port).catch((error: unknown) => {
    if (shutdown.begun) return; // the shutdown made the startup fail, so there is nothing to report
    if (error instanceof StartFailure) console.error(error.message);
    else log.fatal({ err: error }, "Start failed");
    shutdown.begin("start failed", 1); // stops everything already started, above all the database
  });
}

/** The dependencies that most constructors need. */
type Context = Awaited<ReturnType<typeof createContext>>;

async function createContext(config: Config, log: Log, shutdown: Shutdown, port: number) {
  const [clock, random, signals] = [systemClock, systemRandom, createSignals()];
  const watchdog = new Watchdog(clock);
  const publicUrl = config.publicUrl ?? `http://localhost:${port}`;
  const finding = findFfmpeg(clock, config.ffmpeg ?? undefined); // runs while the database starts
  const tracing = await startTraces(config, log, shutdown);
  const onLost = (err: Error): void => {
    log.fatal({ err }, "Embedded database lost");
    shutdown.begin("database lost", 1);
  };
  const opening = openStore({ ...config, log, onLost });
  const nothingToClose = () => {}; // the failure is reported by the await below
  shutdown.add("database", () => opening.then(({ close }) => close(), nothingToClose));
  const { db } = await opening;
  const vault = createVault(config.secretsKeys, random);
  const shared = { config, log, clock, random, signals, watchdog, shutdown, db, vault, publicUrl, tracing };
  return { ...shared, ffmpeg: await finding };
}

/** Loads the OpenTelemetry SDK only if tracing is enabled, because loading it takes a quarter of a second. */
async function startTraces(config: Config, log: Log, shutdown: Shutdown): Promise<Tracing | undefined> {
  if (!config.traces) return undefined;
  const { startTracing } = await import("./ops/tracing.ts");
  const tracing = startTracing({ clock: systemClock, log, version: VERSION });
  shutdown.add("traces", tracing.close);
  return tracing;
}

async function start(context: Context, port: number): Promise<void> {
  const { config, shutdown } = context;
  const retention = createRetention({ ...context, days: config.retention_days });
  shutdown.add("retention", retention.stop);
  await retention.start();
  const delivery = await startDelivery(context);
  const videos = await startVideos(context, delivery.recorder);
  const people = await serve(context, delivery, videos, port);
  await printWelcome(context);
  preloadSignIn(context, people);
}

async function startDelivery(context: Context) {
  const { config, log, clock, signals, db, shutdown } = context;
  const delivers = config.roles.has("deliver");
  const health = new Health(context);
  shutdown.add("webhook health", () => health.flush());
  shutdown.add("notices", async () => endNotices());
  const endNotices = startNotifier({ db, clock, log, signals, delivers });
  if (!delivers) return { recorder: createRecorder(context), health, node: null };

  const client = createSafeClient({ ...config, clock, random: systemRandom, policy: createAddressPolicy(config) });
  const meter = createDeliveryMeter();
  const node = createDeliveryNode({
    ...context,
    client,
    onStatement: meter.timed,
    version: VERSION,
    schedule_s: config.retrySchedule_s ?? RETRY_SCHEDULE_S,
    attempt_ms: config.attemptTimeout_ms,
    alone: config.databaseUrl === null, // only one server at a time can use a data folder
    onAttempt(ended) {
      meter.attempted(ended);
      health.note(ended);
      disabling.note(ended);
    },
  });
  const recorder = createRecorder({ ...context, dispatcher: node.dispatcher });
  const disabling = new Disabling({ ...context, recorder });
  shutdown.add("connections to receivers", () => client.close());
  shutdown.add("delivery", () => node.drain(config.attemptTimeout_ms + LIMITS.DRAIN_SETTLE_MS));
  await node.start();
  shutdown.add("disabling", () => disabling.stop());
  disabling.start();
  await startOwnerMail(context);
  return { recorder, health, node: { ...node, meter } };
}

type Delivery = Awaited<ReturnType<typeof startDelivery>>;

async function startOwnerMail(context: Context): Promise<void> {
  const { config, publicUrl, shutdown } = context;
  if (config.smtpUrl === null) return;
  const { createMailer } = await import("./net/mailer.ts");
  const ownerMail = createOwnerMail({ ...context, mailer: createMailer({ url: config.smtpUrl, publicUrl }) });
  shutdown.add("mail to owners", ownerMail.stop);
  ownerMail.start();
}

async function startVideos(context: Context, recorder: Recorder) {
  const { config, shutdown } = context;
  const folders = await openFolders(config.dataDir);
  const blobs = createLocalBlobs({ folder: folders.media });
  const uploads = createUploads({ ...context, folders, maxBytes: config.uploadMaxBytes });
  const library = createLibrary({ ...context, recorder, blobs });
  if (config.roles.has("process")) {
    const processor = createProcessor({ ...context, recorder, blobs, folders });
    const janitor = createJanitor({ ...context, blobs, uploads });
    shutdown.add("janitor", janitor.stop);
    await janitor.start();
    shutdown.add("processing", processor.stop);
    await processor.start();
  }
  return { blobs, uploads, library };
}

type Videos = Awaited<ReturnType<typeof startVideos>>;

/** Starts the HTTP server. @returns the sign-in service, which has not loaded its library yet */
async function serve(context: Context, delivery: Delivery, videos: Videos, port: number): Promise<People> {
  const { recorder, health, node } = delivery;
  const { config, log, signals, db, ffmpeg, shutdown } = context;
  const onError = (err: unknown) => log.warn({ err }, "Failed to save API key last-used times");
  const apiKeys = createApiKeys({ ...context, onError });
  shutdown.add("API key last-used times", apiKeys.flush);
  const cookieKey = Buffer.from(hkdfSync("sha256", config.secretsKeys[0]!, "", "session cookies", 32));
  const people = createPeople({ ...context, cookieKey });
  const replays = createReplays(context);
  if (config.roles.has("deliver")) {
    replays.start();
    shutdown.add("replays", replays.stop);
  }
  const live = createLive(context);
  live.start();
  shutdown.add("live pages", live.stop);
  const metrics = createMetrics({ ...context, roles: config.roles, delivery: node });
  await serveMetrics(context, metrics);
  const http = await createHttp({
    ...config,
    ...context,
    ...videos,
    live,
    version: VERSION,
    hasApiRole: config.roles.has("api"),
    ffmpeg: { available: ffmpeg !== null, version: ffmpeg?.version ?? null, hint: ffmpeg ? null : FFMPEG_HINT },
    tus: createTusHandler({ ...context, ...videos, apiKeys }),
    metrics,
    apiKeys,
    people,
    spaces: createSpaces(context),
    webhooks: createWebhooks({ ...context, policy: createAddressPolicy(config) }),
    sendTest: createSendTest({ ...context, recorder }),
    health: (space, id) => health.get(space, id),
    events: createEvents(context),
    deliveries: createDeliveries({ db, signals, retries: (config.retrySchedule_s ?? RETRY_SCHEDULE_S).length }),
    replays,
    cancellations: createCancellations(context),
    erasures: createErasures(context),
  });
  shutdown.add("HTTP server", http.close);
  await http.app.listen({ port, host: config.host }).catch((cause: Error) => {
    throw portFailure(cause, port, config.host);
  });
  return people;
}

async function serveMetrics({ config, log, shutdown }: Context, { registry }: Metrics): Promise<void> {
  const port = config.metricsPort;
  if (port === null) return;
  const server = createMetricsServer(registry, log);
  shutdown.add("metrics", server.close);
  await server.listen(port).catch((cause: Error) => {
    throw portFailure(cause, port, "127.0.0.1");
  });
}

/** Prints the dashboard's URL. The server is already running, so a database failure here must not stop it. */
async function printWelcome(context: Context): Promise<void> {
  const onError = (err: unknown) =>
    context.log.warn({ err }, "Failed to create a sign-in link; run npm run -s mave -- admin link");
  const link = await signInLink(context).catch(onError);
  console.log(`Mave is ready: ${context.publicUrl}/dashboard/${link ?? ""}`);
}

/**
 * Creates a one-time link if the server has no owner yet or the output is a terminal. Otherwise, the output could be a
 * log file, and anyone who can read it could use the link to sign in.
 * @returns the text to print, or an empty string
 */
async function signInLink({ db, random, publicUrl }: Context): Promise<string> {
  const hasOwner = (await firstSpace(db)).claimed_at !== null;
  if (hasOwner && !process.stdout.isTTY) return "";
  const link = await createSignInLink(db, random, publicUrl);
  return ` · ${hasOwner ? "Sign in" : "Become the owner"} with this one-time link within an hour: ${link}`;
}

/**
 * Loads the sign-in library shortly after startup instead of during it. Loading blocks the process for 0.2 s, which
 * would delay the first requests.
 */
function preloadSignIn({ clock, log, shutdown }: Context, people: People): void {
  let loading: Promise<void> = Promise.resolve();
  const onError = (err: unknown) =>
    log.warn({ err }, "Failed to load the sign-in library; retrying at the next sign-in");
  const cancel = clock.after(SIGN_IN_PRELOAD_DELAY_MS, () => {
    loading = people.prepare().catch(onError);
  });
  shutdown.add("sign-in", () => {
    cancel();
    return loading;
  });
}

main().catch((error: unknown) => {
  if (!(error instanceof StartFailure)) throw error;
  console.error(error.message);
  process.exit(1);
});
