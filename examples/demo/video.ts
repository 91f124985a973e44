import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const FALLBACK = fileURLToPath(new URL("./five-seconds.mp4", import.meta.url));

const PICTURE = "testsrc2=size=1280x720:rate=30:duration=5";
const SOUND = "sine=frequency=440:duration=5";
// WebM always has to be converted, so the demo shows real processing.
const ENCODE = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-c:a", "libopus"];

/**
 * Writes a 5 s video to `file`.
 * @returns false if ffmpeg is missing or failed, in which case `file` is a copy of a prebuilt video
 */
export async function makeVideo(file: string): Promise<boolean> {
  const inputs = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND];
  const child = spawn("ffmpeg", ["-loglevel", "error", "-nostdin", "-y", ...inputs, ...ENCODE, "-f", "webm", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    const [code] = await once(child, "close");
    if (code === 0) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await copyFile(FALLBACK, file);
  return false;
}
