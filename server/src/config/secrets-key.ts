import { chmod, link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Random, systemRandom } from "../kernel/random.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { Fault, keys } from "./settings.ts";

const BYTES = 32;

/**
 * The key that seals webhook secrets, where MAVE_SECRETS_KEY does not give it: made once and kept in the data folder,
 * readable by its owner only. Whoever loses it loses every webhook's secret, so it belongs into each backup. To change
 * it, a new one is written on a line before it.
 */
export async function loadSecretsKeys(dataDir: string, random: Random = systemRandom): Promise<Buffer[]> {
  const file = join(dataDir, "secrets.key");
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const text = (await readOrNull(file)) ?? (await make(file, random));
    await chmod(file, 0o600);
    return keys(BYTES)(text.trim().split(/\s+/).join(","));
  } catch (cause) {
    if (cause instanceof Fault) {
      throw new StartFailure(`The secrets key in ${file} ${cause.message}. Restore that file from a backup.`, {
        cause,
      });
    }
    throw new StartFailure(
      `The data folder ${dataDir} cannot be written (${(cause as Error).message}). ` +
        "Make it writable for the user that runs Mave, or name another one with MAVE_DATA_DIR.",
      { cause },
    );
  }
}

/** Written whole beside its name and then linked: no reader sees half a key, and of two makers one wins. */
async function make(file: string, random: Random): Promise<string> {
  const half = `${file}.half-${random.bytes(6).toString("hex")}`;
  const handle = await open(half, "w", 0o600);
  try {
    await handle.writeFile(`${random.bytes(BYTES).toString("base64")}\n`);
    await handle.sync();
    await link(half, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await handle.close();
    await rm(half, { force: true });
  }
  return readFile(file, "utf8");
}

function readOrNull(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}
