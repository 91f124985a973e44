// Programs of the machine: installed with apt where that is possible without asking (root on Debian and its kin).
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, environment, read, which } from "./places.mjs";
import { quietly, step } from "./steps.mjs";

const TRY_AGAIN_MS = 600_000; // without a network every try costs seconds

/** Videos are processed with ffmpeg; without it the server runs and says at an upload what is missing. */
export async function ensureFfmpeg() {
  const own = process.env.MAVE_FFMPEG ?? /^\s*MAVE_FFMPEG\s*=\s*(.+)$/m.exec(read(".env") ?? "")?.[1];
  if (own || which("ffmpeg")) return;
  await install(["ffmpeg"]);
  if (!which("ffmpeg"))
    console.error(`ffmpeg is missing: videos can be uploaded, but not processed. ${advice("ffmpeg")}.`);
}

export const mayInstall = () => process.getuid?.() === 0 && which("apt-get") !== null;

export const advice = (...names) =>
  process.platform === "darwin"
    ? `Install it with: brew install ${names.join(" ")}`
    : `Install it with: apt install ${names.join(" ")}`;

/** Installs packages of the operating system where that may be done. Whether it worked is for the caller to see. */
export async function install(names) {
  const failed = join(CACHE, "apt-failed");
  if (!mayInstall() || isRecent(failed)) return;
  await step(`Installing ${names.join(", ")}`, async () => {
    const worked = (await apt("install", names)) || ((await apt("update", [])) && (await apt("install", names)));
    if (!worked) {
      mkdirSync(CACHE, { recursive: true });
      writeFileSync(failed, "");
    }
  });
}

async function apt(verb, names) {
  const env = environment({ DEBIAN_FRONTEND: "noninteractive" });
  // What an interrupted run left half-configured keeps every later one from working.
  if (verb === "install" && readdirSync("/var/lib/dpkg/updates").length > 0)
    await quietly("dpkg", "dpkg", ["--configure", "-a"], { env });
  const words = [
    "-y",
    "-o",
    "DPkg::Lock::Timeout=120",
    verb,
    ...(verb === "install" ? ["--no-install-recommends"] : []),
    ...names,
  ];
  return (await quietly(`apt-${verb}`, "apt-get", words, { env })).ok;
}

function isRecent(file) {
  try {
    return Date.now() - statSync(file).mtimeMs < TRY_AGAIN_MS;
  } catch {
    return false;
  }
}
