// `npm run dev`: runs the server, restarting it when its code changes, and the dashboard's dev server with hot reload.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { environment, nodePath, ROOT } from "../lib/places.mjs";
import { runUntilEnd } from "../lib/process.mjs";

export async function dev() {
  const vite = spawn(nodePath(), [join(ROOT, "node_modules/vite/bin/vite.js")], {
    cwd: join(ROOT, "dashboard"),
    env: environment(),
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    return await runUntilEnd(["--watch", "--conditions=source", "server/src/main.ts"], {}, { channel: false });
  } finally {
    vite.kill("SIGTERM");
  }
}
