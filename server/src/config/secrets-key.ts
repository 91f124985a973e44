import { chmod, link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Random, systemRandom } from "../kernel/random.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { InvalidSetting, keys } from "./settings.ts";

const BYTES = 32;

/**
 * Loads the keys that encrypt webhook secrets from the file `secrets.key` in the data folder. The file is readable only
 * by its owner, and it is created with a new key if it does not exist. Back it up, because without it every webhook's
 * secret is lost. To rotate the key, add the new key on a line above the old one. The file is not used if
 * MAVE_SECRETS_KEY is set.
 */
export async function loadSecretsKeys(dataDir: string, random: Random = systemRandom): Promise<Buffer[]> {
  const file = join(dataDir, "secrets.key");
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const text = (await readOrNull(file)) ?? (await createKey(file, random));
    await chmod(file, 0o600);
    return keys(BYTES)(text.trim().split(/\s+/).join(","));
  } catch (cause) {
    if (cause instanceof InvalidSetting) {
      throw new StartFailure(`The secrets key in ${file} ${cause.message}. Restore the file from a backup.`, {
        cause,
      });
    }
    throw new StartFailure(
      `The data folder ${dataDir} is not writable (${(cause as Error).message}). ` +
        "Make it writable by the user that runs Mave, or set MAVE_DATA_DIR to another folder.",
      { cause },
    );
  }
}

/**
 * Writes a temporary file and then links it to its final name, so that no process can read a partial key. If two
 * processes create a key at the same time, both use the one that was linked first.
 */
async function createKey(file: string, random: Random): Promise<string> {
  const temporary = `${file}.temporary-${random.bytes(6).toString("hex")}`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(`${random.bytes(BYTES).toString("base64")}\n`);
    await handle.sync();
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
  return readFile(file, "utf8");
}

function readOrNull(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}
