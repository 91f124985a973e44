import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startChild } from "../kernel/spawn.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { type PostgresBinaries, postgresBinaries, SHARED_FOLDER } from "./postgres-binaries.ts";

/** The user `nobody`, which exists everywhere and owns no other files. */
const UNPRIVILEGED = 65534;
const SOCKET_PATH_MAX_BYTES = 103; // sun_path has 104 bytes on macOS, including the final NUL
export const PORT = 5432; // used only in the socket's name, because there is no TCP port

/** One embedded database: its files, user and binaries. */
export interface Cluster {
  /** The data folder as the operator configured it, for messages. */
  readonly folder: string;
  /** The folder that contains `cluster`, `socket` and `log`, with symbolic links resolved. */
  readonly home: string;
  readonly data: string;
  readonly binaries: PostgresBinaries;
  /** The user that PostgreSQL runs as. Set only if this process runs as root. */
  readonly user: { uid: number; gid: number } | undefined;
}

/** Finds or creates a data folder's cluster. @throws StartFailure if the folder cannot contain one */
export async function openCluster(folder: string): Promise<Cluster> {
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : undefined;
  const binaries = await postgresBinaries(asRoot);
  const home = await makeHome(folder, user);
  const cluster = { folder, home, data: join(home, "cluster"), binaries, user };
  const version = await readFile(join(cluster.data, "PG_VERSION"), "utf8").catch(() => null);
  if (version === null) await initialise(cluster);
  else if (Number.parseInt(version, 10) !== binaries.major) throw otherVersion(cluster, version.trim());
  return cluster;
}

function otherVersion({ folder, binaries }: Cluster, version: string): StartFailure {
  return new StartFailure(
    `The data folder ${folder} contains a PostgreSQL ${version} database, but this version of Mave includes PostgreSQL ` +
      `${binaries.major}. Start the version of Mave that created the database, dump it with pg_dump, and restore the ` +
      "dump into a new data folder.",
  );
}

async function makeHome(folder: string, user: Cluster["user"]): Promise<string> {
  const home = join(folder, "postgres");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user === undefined) await mkdir(home, { recursive: true, mode: 0o700 });
    else await makeHomeFor(user, folder, home);
    return await realpath(home);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOTEMPTY") throw unreachable(folder, cause);
    throw new StartFailure(
      `The data folder ${folder} is not writable (${(cause as Error).message}). ` +
        "Make it writable by the user that runs Mave, or set MAVE_DATA_DIR to a different folder.",
      { cause },
    );
  }
}

function unreachable(folder: string, cause: unknown): StartFailure {
  return new StartFailure(
    `The data folder ${folder} contains a database, but only root can access it there. PostgreSQL does not run as root, ` +
      "so move the folder to a place that every user can access, such as /var/lib, and set MAVE_DATA_DIR to its new path.",
    { cause },
  );
}

/**
 * Creates the cluster's home in the data folder if the unprivileged user can reach it there. Otherwise, creates it in
 * the shared folder and links to it from the data folder. This is checked on each startup, because an earlier startup
 * may have been interrupted or the folder may have been moved.
 */
async function makeHomeFor({ uid, gid }: { uid: number; gid: number }, folder: string, home: string): Promise<void> {
  const there = await lstat(home).catch(() => null);
  if (there?.isSymbolicLink()) return;
  if (await isTraversable(dirname(await realpath(folder)))) {
    await chmod(folder, ((await stat(folder)).mode & 0o777) | 0o001);
    await mkdir(home, { recursive: true, mode: 0o700 });
    if (there?.uid !== uid) await chown(home, uid, gid);
    return;
  }
  if (there !== null) await rmdir(home); // fails if it contains a database that was moved here
  const place = await elsewhere();
  await chown(place, uid, gid);
  await symlink(place, home);
}

async function elsewhere(): Promise<string> {
  const databases = join(SHARED_FOLDER, "databases");
  await mkdir(databases, { recursive: true, mode: 0o755 });
  return mkdtemp(join(databases, "db-"));
}

/** Whether an unprivileged user can traverse `folder` and its parents. */
async function isTraversable(folder: string): Promise<boolean> {
  if (((await stat(folder)).mode & 0o001) === 0) return false;
  return folder === dirname(folder) || isTraversable(dirname(folder));
}

let halves = 0; // a counter, so that each data folder and each try gets its own temporary name

/** Creates the cluster under a temporary name and renames it, so that a kill never leaves a partial cluster. */
async function initialise(cluster: Cluster): Promise<void> {
  await removeHalves(cluster);
  const half = `${cluster.data}.half-${process.pid}-${++halves}`;
  const output = join(cluster.home, "log");
  // The built-in locale sorts the same way everywhere, whereas a libc locale depends on the operating system.
  const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8"];
  const arguments_ = ["-D", half, "--username=mave", "--auth=trust", "--no-instructions", ...locale];
  const child = await run(cluster, "initdb", arguments_);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) {
    await rm(half, { recursive: true, force: true });
    throw new StartFailure(`PostgreSQL could not create its database in ${cluster.home}: ${await lastWords(output)}`);
  }
  await rename(half, cluster.data).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    await rm(half, { recursive: true, force: true }); // another process was faster
  });
}

async function removeHalves({ home }: Cluster): Promise<void> {
  for (const name of await readdir(home)) {
    const maker = /^cluster\.half-(\d+)-\d+$/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker))) await rm(join(home, name), { recursive: true, force: true });
  }
}

/** Creates the folder for the socket: in the cluster's home or, if that path is too long, in the temporary folder. */
export async function socketFolder({ home, user }: Cluster): Promise<string> {
  const own = join(home, "socket");
  if (fits(own)) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    if (user !== undefined) await chown(own, user.uid, user.gid);
    return own;
  }
  const place = [tmpdir(), "/tmp"].find((folder) => fits(join(folder, "mave-XXXXXX"))) ?? "/tmp";
  const short = await mkdtemp(join(place, "mave-"));
  if (user !== undefined) await chown(short, user.uid, user.gid);
  return short;
}

const fits = (folder: string): boolean => Buffer.byteLength(join(folder, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_MAX_BYTES;

/**
 * Starts a PostgreSQL program that logs to the cluster's log. The program outlives this process and is not stopped by
 * Ctrl-C.
 */
export async function run(cluster: Cluster, program: string, arguments_: string[]): Promise<ChildProcess> {
  const output = await open(join(cluster.home, "log"), "a", 0o600);
  try {
    const child = startChild(join(cluster.binaries.bin, program), arguments_, {
      cwd: cluster.home,
      detached: true,
      env: { LANG: "C", LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", output.fd, output.fd],
      ...cluster.user,
    });
    await once(child, "spawn");
    return child;
  } catch (cause) {
    throw new StartFailure(`PostgreSQL's ${program} cannot be run (${(cause as Error).message}).`, { cause });
  } finally {
    await output.close();
  }
}

/** Returns the last lines of PostgreSQL's log, for an error message. */
export async function lastWords(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-3).join(" / ") || "it logged nothing";
}

/** Whether a process with this id exists, whichever user it runs as. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
