// Installs system programs with apt if that needs no confirmation, that is, as root on Debian or a derivative.
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE, environment, read, which } from "./places.mjs";
import { quietly, step } from "./steps.mjs";

const RETRY_AFTER_MS = 600_000; // without a network, each attempt takes several seconds

/**
 * Tries to install ffmpeg. The server also runs without it, but uploads that need it fail with an explanatory message.
 */
export async function ensureFfmpeg() {
  const configured = process.env.MAVE_FFMPEG ?? /^\s*MAVE_FFMPEG\s*=\s*(.+)$/m.exec(read(".env") ?? "")?.[1];
  if (configured || which("ffmpeg")) return;
  await install(["ffmpeg"]);
  if (!which("ffmpeg"))
    console.error(
      `ffmpeg is not installed, so videos that need conversion will not be processed. ${advice("ffmpeg")}.`,
    );
}

export const mayInstall = () => process.getuid?.() === 0 && which("apt-get") !== null;

export const advice = (...names) =>
  process.platform === "darwin"
    ? `Install it with: brew install ${names.join(" ")}`
    : `Install it with: apt install ${names.join(" ")}`;

/** Installs system packages if permitted. The caller checks whether the programs are available afterwards. */
export async function install(names) {
  const failed = join(CACHE, "apt-failed");
  if (!mayInstall() || isRecent(failed)) return;
  await step(`Installing ${names.join(", ")}`, async () => {
    const succeeded = (await apt("install", names)) || ((await apt("update", [])) && (await apt("install", names)));
    if (!succeeded) {
      mkdirSync(CACHE, { recursive: true });
      writeFileSync(failed, "");
    }
  });
}

async function apt(verb, names) {
  const env = environment({ DEBIAN_FRONTEND: "noninteractive" });
  // Finish configuring the packages that an interrupted run left half-configured, or every later run would fail.
  if (verb === "install" && readdirSync("/var/lib/dpkg/updates").length > 0)
    await quietly("dpkg", "dpkg", ["--configure", "-a"], { env });
  const args = [
    "-y",
    "-o",
    "DPkg::Lock::Timeout=120",
    verb,
    ...(verb === "install" ? ["--no-install-recommends"] : []),
    ...names,
  ];
  return (await quietly(`apt-${verb}`, "apt-get", args, { env })).ok;
}

function isRecent(file) {
  try {
    return Date.now() - statSync(file).mtimeMs < RETRY_AFTER_MS;
  } catch {
    return false;
  }
}
