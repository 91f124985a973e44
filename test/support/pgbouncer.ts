import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { TestConnection } from "./database.ts";
import { freePort } from "./server.ts";

export interface Pgbouncer {
  /** The value for DATABASE_URL. */
  url: string;
  /** Kills pgbouncer and starts it again on the same port. */
  restart(): Promise<void>;
}

interface Settings {
  mode: "session" | "transaction";
  /** The maximum number of database sessions. */
  sessions?: number;
}

/**
 * Starts a real pgbouncer, which stops after the test. If the tests run as root, pgbouncer runs as the same user as
 * PostgreSQL, because it refuses to run as root.
 */
export async function startPgbouncer(to: TestConnection, { mode, sessions = 50 }: Settings): Promise<Pgbouncer> {
  const folder = await mkdtemp(join(tmpdir(), "mave-pgbouncer-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const settings = join(folder, "pgbouncer.ini");
  await writeFile(settings, settingsOf(to, port, mode, sessions));
  const { uid, gid } = await stat(to.host);
  const as = process.getuid?.() === 0 ? { uid, gid } : {};
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const start = async (): Promise<ChildProcess> => {
    const started = spawn("pgbouncer", [settings], { ...as, env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    started.stderr.on("data", (chunk) => (errors += chunk));
    await listening(port, started, () => errors);
    return started;
  };
  let child = await start();
  onTestFinished(async () => {
    await end(child);
    await rm(folder, { recursive: true });
  });
  return {
    url: `postgres://${to.user}@127.0.0.1:${port}/${to.database}`,
    async restart() {
      await end(child);
      child = await start();
    },
  };
}

const settingsOf = (
  { host, port, user, database }: TestConnection,
  listen: number,
  mode: string,
  sessions: number,
): string =>
  `[databases]
${database} = host=${host} port=${port} user=${user} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listen}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${sessions}
`;

async function listening(port: number, child: ChildProcess, errors: () => string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await pause(20)) {
    if (child.exitCode !== null) throw new Error(`pgbouncer exited: ${errors()}`);
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
  }
  throw new Error(`pgbouncer does not listen: ${errors()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL"); // a graceful shutdown would wait for its clients
  await exit;
}
