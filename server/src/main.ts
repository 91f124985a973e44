import { hkdfSync } from "node:crypto";
import { createApiKeys } from "./auth/api-keys.ts";
import { createPeople, type People } from "./auth/people.ts";
import { createSignInLink } from "./auth/sign-in-links.ts";
import { createSpaces } from "./auth/spaces.ts";
import { type Config, loadConfig } from "./config/config.ts";
import { createCancellations } from "./delivery/cancellations.ts";
import { createDeliveries } from "./delivery/deliveries.ts";
import { createDeliveryNode, type DeliveryNode } from "./delivery/node.ts";
import { startNotifier } from "./delivery/notifier.ts";
import { createReplays } from "./delivery/replays.ts";
import { RETRY_SCHEDULE_S } from "./delivery/retry-schedule.ts";
import { createSendTest } from "./delivery/test-event.ts";
import { createErasures } from "./events/erasures.ts";
import { createEvents } from "./events/events.ts";
import { createRecorder, type Recorder } from "./events/record.ts";
import { createHttp } from "./http/http.ts";
import { createTusDoor } from "./http/tus.ts";
import { type Clock, systemClock } from "./kernel/clock.ts";
import { assertLimits, LIMITS } from "./kernel/limits.ts";
import { createLog, type Log } from "./kernel/log.ts";
import { type Random, systemRandom } from "./kernel/random.ts";
import { createSignals, type Signals } from "./kernel/signals.ts";
import { StartFailure } from "./kernel/start-failure.ts";
import type { Tracing } from "./kernel/trace.ts";
import { createAddressPolicy } from "./net/address-policy.ts";
import { createSafeClient } from "./net/safe-client.ts";
import { createDeliveryMeter, type DeliveryMeter } from "./ops/delivery-meter.ts";
import { findPort, portFailure } from "./ops/listening-port.ts";
import { createLive } from "./ops/live.ts";
import { createMetrics } from "./ops/metrics.ts";
import { createRetention } from "./ops/retention.ts";
import { createShutdown, type Shutdown } from "./ops/shutdown.ts";
import type { Database } from "./store/db.ts";
import { openStore } from "./store/open-store.ts";
import { firstSpace } from "./store/spaces.ts";
import { createLocalBlobs } from "./videos/blobs.ts";
import { FFMPEG_HINT, type Ffmpeg, findFfmpeg } from "./videos/ffmpeg.ts";
import { openFolders } from "./videos/folders.ts";
import { createJanitor } from "./videos/janitor.ts";
import { createLibrary } from "./videos/library.ts";
import { createProcessor } from "./videos/processing.ts";
import { createUploads } from "./videos/upload.ts";
import { Disabling } from "./webhooks/disabling.ts";
import { Health } from "./webhooks/health.ts";
import { createOwnerMail } from "./webhooks/owner-mail.ts";
import { createWebhooks } from "./webhooks/registry.ts";
import { createVault, type Vault } from "./webhooks/secrets.ts";

const VERSION = "0.1.0";
const PEOPLE_AFTER_MS = 500;

/** What everything stands on. */
interface Ground {
  config: Config;
  log: Log;
  clock: Clock;
  random: Random;
  signals: Signals;
  shutdown: Shutdown;
  db: Database;
  vault: Vault;
  publicUrl: string;
  /** null where this machine has none. */
  ffmpeg: Ffmpeg | null;
  tracing: Tracing | undefined;
}

/** The composition root: the only place that constructs things. They start in the order written and end in reverse. */
async function main(): Promise<void> {
  assertLimits();
  const config = await loadConfig();
  const log = createLog(config.logLevel);
  const [clock, random, signals] = [systemClock, systemRandom, createSignals()];
  const shutdown = createShutdown(log, clock);
  const port = await findPort(config.port, config.host);
  const publicUrl = config.publicUrl ?? `http://localhost:${port}`;
  const ffmpeg = findFfmpeg(clock, config.ffmpeg ?? undefined); // beside the database's start: both take their time
  const tracing = await startTraces(config, log, shutdown);
  const onLost = (why: Error): void => {
    log.fatal({ err: why }, "The database is lost.");
    shutdown.begin("database lost", 1);
  };
  const opening = openStore({ ...config, log, onLost });
  const nothingToClose = () => {}; // it could not be opened, which is told where that is waited for
  shutdown.add("the database", () => opening.then(({ close }) => close(), nothingToClose));
  const { db } = await opening;
  const vault = createVault(config.secretsKeys, random);
  const ground = { config, log, clock, random, signals, shutdown, db, vault, publicUrl, ffmpeg: await ffmpeg, tracing };
  await start(ground, port).catch((error: unknown) => {
    if (shutdown.begun) return; // what is ending fails whatever is still starting
    if (error instanceof StartFailure) console.error(error.message);
    else log.fatal({ err: error }, "The start failed.");
    shutdown.begin("the start failed", 1); // ends what has been started, the database above all
  });
}

/** Loads the OpenTelemetry SDK, which takes a quarter of a second, where spans are wanted; nothing of it elsewhere. */
async function startTraces(config: Config, log: Log, shutdown: Shutdown): Promise<Tracing | undefined> {
  if (!config.traces) return undefined;
  const { startTracing } = await import("./ops/tracing.ts");
  const tracing = startTracing({ clock: systemClock, log, version: VERSION });
  shutdown.add("traces", tracing.close);
  return tracing;
}

async function start(ground: Ground, port: number): Promise<void> {
  const { config, log, clock, shutdown, db } = ground;
  const retention = createRetention({ db, clock, log, days: config.retention_days });
  shutdown.add("retention", retention.stop);
  await retention.start();
  const delivering = await startDelivering(ground);
  const videos = await startVideos(ground, delivering.recorder);
  const people = await serve(ground, delivering, videos, port);
  await greet(ground);
  prepare(ground, people);
}

/** What comes as soon as the port is open is answered first: to load the sign-in library stops everything for 0.2 s. */
function prepare({ clock, log, shutdown }: Ground, people: People): void {
  let preparing: Promise<void> = Promise.resolve();
  const cancel = clock.after(PEOPLE_AFTER_MS, () => {
    preparing = people
      .prepare()
      .catch((err: unknown) => log.warn({ err }, "Sign-in is not ready; whoever signs in next tries again."));
  });
  shutdown.add("sign-in", () => {
    cancel();
    return preparing;
  });
}

interface Delivering {
  recorder: Recorder;
  health: Health;
  node: (DeliveryNode & { meter: DeliveryMeter }) | null;
}

/** The sender, where this node is one, and what records for it. */
async function startDelivering(ground: Ground): Promise<Delivering> {
  const { config, log, clock, signals, db, shutdown } = ground;
  const delivers = config.roles.has("deliver");
  const health = new Health(ground);
  shutdown.add("the webhooks' health", () => health.flush());
  shutdown.add("notices", async () => endNotices());
  const endNotices = startNotifier({ db, clock, log, signals, delivers });
  if (!delivers) return { recorder: createRecorder(ground), health, node: null };

  const client = createSafeClient({ clock, policy: createAddressPolicy(config) });
  const meter = createDeliveryMeter();
  const node = createDeliveryNode({
    ...ground,
    client,
    onStatement: meter.timed,
    version: VERSION,
    schedule_s: config.retrySchedule_s ?? RETRY_SCHEDULE_S,
    attempt_ms: config.attemptTimeout_ms,
    alone: config.databaseUrl === null, // a data folder has one server at a time
    onAttempt(ended) {
      meter.attempted(ended);
      health.note(ended);
      disabling.note(ended);
    },
  });
  const recorder = createRecorder({ ...ground, dispatcher: node.dispatcher });
  const disabling = new Disabling({ ...ground, recorder });
  shutdown.add("connections to receivers", () => client.close());
  shutdown.add("delivery", () => node.drain(config.attemptTimeout_ms + LIMITS.DRAIN_SETTLE_MS));
  await node.start();
  shutdown.add("disabling", () => disabling.stop());
  disabling.start();
  if (config.smtpUrl !== null) {
    const { createMailer } = await import("./net/mailer.ts");
    const mailer = createMailer({ url: config.smtpUrl, publicUrl: ground.publicUrl });
    const ownerMail = createOwnerMail({ ...ground, mailer });
    shutdown.add("mail to owners", ownerMail.stop);
    ownerMail.start();
  }
  return { recorder, health, node: { ...node, meter } };
}

/** Videos and their files, and the processing of what comes in, where this node does that. */
async function startVideos(ground: Ground, recorder: Recorder) {
  const { config, log, clock, db, publicUrl, shutdown } = ground;
  const folders = await openFolders(config.dataDir);
  const blobs = createLocalBlobs({ folder: folders.media, publicUrl });
  const uploads = createUploads({ ...ground, folders, maxBytes: config.uploadMaxBytes });
  const library = createLibrary({ ...ground, recorder, blobs });
  if (config.roles.has("process")) {
    const processor = createProcessor({ ...ground, recorder, blobs, folders });
    const janitor = createJanitor({ db, blobs, uploads, clock, log });
    shutdown.add("the clean-up of files", janitor.stop);
    await janitor.start();
    shutdown.add("processing", processor.stop);
    await processor.start();
  }
  return { blobs, uploads, library };
}

type Videos = Awaited<ReturnType<typeof startVideos>>;

/** The door: the API with all that it shows. @returns those who may come in, not prepared for yet */
async function serve(
  ground: Ground,
  { recorder, health, node }: Delivering,
  videos: Videos,
  port: number,
): Promise<People> {
  const { config, log, signals, db, ffmpeg, shutdown } = ground;
  const apiKeys = createApiKeys({ ...ground, onError: (err) => log.warn({ err }, "The use of keys was not written.") });
  shutdown.add("the use of keys", apiKeys.flush);
  const cookieKey = Buffer.from(hkdfSync("sha256", config.secretsKeys[0]!, "", "session cookies", 32));
  const people = createPeople({ ...ground, cookieKey });
  const replays = createReplays(ground);
  if (config.roles.has("deliver")) {
    replays.start();
    shutdown.add("replays", replays.stop);
  }
  const live = createLive(ground);
  live.start();
  shutdown.add("notices to pages", live.stop);
  const http = await createHttp({
    ...ground,
    ...videos,
    live,
    version: VERSION,
    serves: config.roles.has("api"),
    trustProxy: config.trustProxy,
    metricsToken: config.metricsToken,
    retention_days: config.retention_days,
    uploadMaxBytes: config.uploadMaxBytes,
    ffmpeg: { available: ffmpeg !== null, version: ffmpeg?.version ?? null, hint: ffmpeg ? null : FFMPEG_HINT },
    before: createTusDoor({ ...ground, ...videos, apiKeys }),
    metrics: createMetrics({ db, roles: config.roles, delivery: node }),
    apiKeys,
    people,
    spaces: createSpaces(ground),
    webhooks: createWebhooks({ ...ground, policy: createAddressPolicy(config) }),
    sendTest: createSendTest({ ...ground, recorder }),
    health: (space, id) => health.get(space, id),
    events: createEvents(ground),
    deliveries: createDeliveries({ db, signals, retries: (config.retrySchedule_s ?? RETRY_SCHEDULE_S).length }),
    replays,
    cancellations: createCancellations(ground),
    erasures: createErasures(ground),
  });
  shutdown.add("the web server", http.close);
  await http.app.listen({ port, host: config.host }).catch((cause: Error) => {
    throw portFailure(cause, port, config.host);
  });
  return people;
}

/** Tells the operator where to go. It serves already: a database that goes away just now comes back, and ends nothing. */
async function greet(ground: Ground): Promise<void> {
  const welcome = await wayIn(ground).catch((err: unknown) => {
    ground.log.warn({ err }, "There is no link: `npm run -s mave -- admin link` prints one.");
    return "";
  });
  console.log(`Mave is ready: ${ground.publicUrl}/dashboard/${welcome}`);
}

/**
 * A link that signs in once: as long as there is no owner, and on a terminal. One in a log file would let in whoever reads
 * that.
 */
async function wayIn({ db, random, publicUrl }: Ground): Promise<string> {
  const unclaimed = (await firstSpace(db)).claimed_at === null;
  if (!unclaimed && !process.stdout.isTTY) return "";
  const link = await createSignInLink(db, random, publicUrl);
  return ` · ${unclaimed ? "Become its owner" : "Sign in"} with this link, once and within the hour: ${link}`;
}

main().catch((error: unknown) => {
  if (!(error instanceof StartFailure)) throw error;
  console.error(error.message);
  process.exit(1);
});
