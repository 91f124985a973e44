import { basename, dirname, join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type Bounds, type Run, runBounded } from "../kernel/spawn.ts";

/** The system's ffmpeg. It always runs as a child process, so a malformed file cannot crash the server. */
export interface Ffmpeg {
  version: string;
  /** Runs ffprobe. `onLine` receives each line of its output. */
  probe(args: string[], options: { signal?: AbortSignal; onLine?: (line: string) => void }): Promise<Run>;
  /** Runs ffmpeg with time limits that scale with `duration_s`. `onProgress` receives the seconds processed so far. */
  run(
    args: string[],
    options: { signal?: AbortSignal; duration_s: number; onProgress?: (done_s: number) => void },
  ): Promise<Run>;
}

export const FFMPEG_HINT = "Install it with `apt-get install -y ffmpeg`, or set MAVE_FFMPEG to its path.";

/**
 * Finds ffmpeg, and ffprobe next to it or in PATH.
 * @param command a path or a name in PATH
 * @returns null if either is missing
 */
export async function findFfmpeg(clock: Clock, command = "ffmpeg"): Promise<Ffmpeg | null> {
  const beside = join(dirname(command), basename(command).replace("ffmpeg", "ffprobe"));
  const probe = [beside, "ffprobe"].find((name) => name !== command) ?? "ffprobe";
  const [version, probeVersion] = await Promise.all([versionOf(clock, command), versionOf(clock, probe)]);
  return version !== null && probeVersion !== null ? ffmpegOf(clock, version, command, probe) : null;
}

function ffmpegOf(clock: Clock, version: string, ffmpeg: string, ffprobe: string): Ffmpeg {
  return {
    version,
    probe: (args, options) => runBounded(ffprobe, args, { clock, bounds: PROBE_BOUNDS, ...options }).then(readSignal),
    async run(args, { duration_s, onProgress, signal }) {
      const onLine = (line: string) => {
        const done = /^out_time_us=(\d+)$/.exec(line);
        if (done) onProgress?.(Number(done[1]) / 1e6);
      };
      const options = { clock, bounds: boundsFor(duration_s), onLine, ...(signal ? { signal } : {}) };
      return readSignal(await runBounded(ffmpeg, args, options));
    },
  };
}

const PROBE_BOUNDS: Bounds = {
  wall_ms: LIMITS.PROBE_MS,
  cpu_s: LIMITS.PROBE_MS / 1000,
  memory_bytes: LIMITS.PROBE_MEMORY_BYTES,
  file_bytes: 0,
};

const boundsFor = (duration_s: number): Bounds => ({
  wall_ms: Math.max(LIMITS.FFMPEG_WALL_MIN_MS, Math.ceil(60_000 * duration_s)),
  silent_ms: LIMITS.FFMPEG_SILENT_MS,
  cpu_s: Math.max(LIMITS.FFMPEG_CPU_MIN_S, Math.ceil(120 * duration_s)),
  memory_bytes: LIMITS.FFMPEG_MEMORY_BYTES,
  file_bytes: LIMITS.FFMPEG_FILE_BYTES,
});

const PROCESSOR_TIME_USED = 24; // SIGXCPU

/** Detects a signal that ffmpeg caught before exiting normally. Only ffmpeg's error output reveals it. */
function readSignal(run: Run): Run {
  const caught = run.ending.how === "exited" && /received signal (\d+)/.exec(run.errors);
  if (!caught) return run;
  if (Number(caught[1]) === PROCESSOR_TIME_USED) return { ...run, ending: { how: "too_long" } };
  return { ...run, ending: { how: "killed", signal: "SIGTERM" } };
}

async function versionOf(clock: Clock, command: string): Promise<string | null> {
  let first = "";
  const onLine = (line: string) => {
    first ||= line;
  };
  const { ending } = await runBounded(command, ["-version"], { clock, bounds: PROBE_BOUNDS, onLine });
  if (ending.how !== "exited" || ending.code !== 0) return null;
  return /version (\S+)/.exec(first)?.[1] ?? "unknown";
}
