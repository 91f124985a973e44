/**
 * Starts each receiver in examples/ as its first lines describe, and sends it the test vectors, re-signed with the
 * current time.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vectors from "@mave/webhooks/vectors.json" with { type: "json" };
import { afterAll, describe, expect, test, vi } from "vitest";
import { freePort, ROOT } from "../support/server.ts";

type Vector = (typeof vectors.verify)[number];
const SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const folder = join(ROOT, "examples/receivers");

/** Vectors that apply to a receiver with only this secret and the default tolerance, and that can be sent over HTTP. */
const applicable = vectors.verify.filter(({ secrets, tolerance, headers, body }) => {
  const sendable = Object.values(headers).every((value) => /^[\t\x20-\xff]*$/.test(value));
  // Not all receivers parse JSON after verification, so skip vectors whose body is not an event.
  return secrets.join() === SECRET && tolerance === 300 && sendable && body.includes('"data"');
});

/** Adapts the vector's headers to the current time by shifting times and recomputing signatures. */
function headersForNow({ headers, made, now, valid }: Vector): Record<string, string> {
  let header = (headers as Record<string, string>)["Mave-Signature"];
  if (header === undefined) return headers as Record<string, string>;
  // If a vector's time is at the edge of the tolerance, move it 10 s away from the edge, because a second may pass
  // before the request arrives.
  const fromEdge = Math.sign(now - Number(made[0]?.t ?? now)) * (valid ? 10 : -10);
  const shift = Math.floor(Date.now() / 1000) - now + (Number.isNaN(fromEdge) ? 0 : fromEdge);
  for (const { t, secret, body } of made) {
    const later = /^\d{10}$/.test(t) ? String(Number(t) + shift) : t;
    const old = createHmac("sha256", `${t}.${secret}`).update(body).digest("hex");
    const fresh = createHmac("sha256", `${later}.${secret}`).update(body).digest("hex");
    header = header.replace(old, fresh).replace(old.toUpperCase(), fresh.toUpperCase());
  }
  header = header.replace(/\b16437\d{5}\b/g, (t) => String(Number(t) + shift));
  return { "Mave-Signature": header };
}

/** Sends the vectors to a receiver. @returns the names of those whose result differs from the expected one */
async function mismatches(send: (request: Request) => Promise<Response>, url: string): Promise<string[]> {
  const names: string[] = [];
  for (const vector of applicable) {
    const headers = { "content-type": "application/json", ...headersForNow(vector) };
    const response = await send(new Request(url, { method: "POST", body: vector.body, headers }));
    await response.body?.cancel();
    if (response.ok !== vector.valid) names.push(`${vector.name}: ${response.status}`);
  }
  return names;
}

test("the receivers are tested with both valid and invalid vectors", () => {
  expect(applicable.filter(({ valid }) => valid).length).toBeGreaterThan(9);
  expect(applicable.filter(({ valid }) => !valid).length).toBeGreaterThan(30);
});

describe("an example receiver that runs as a program:", () => {
  const running: ChildProcess[] = [];
  const out = mkdtemp(join(tmpdir(), "mave-receivers-"));
  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    await rm(await out, { recursive: true, force: true });
  });

  const isInstalled = (program: string, ...version: string[]) => {
    try {
      execFileSync(program, version, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  const node = (file: string) => async () => [process.execPath, "--conditions=source", file];
  const programs: [file: string, command: (port: number) => Promise<string[]>, isAvailable: () => boolean][] = [
    ["express.mjs", node("express.mjs"), () => true],
    ["fastify.mjs", node("fastify.mjs"), () => true],
    ["receiver.py", async () => ["python3", "receiver.py"], () => isInstalled("python3", "--version")],
    [
      "go/receiver.go",
      async () => {
        const binary = join(await out, "receiver-go");
        execFileSync("go", ["build", "-o", binary, "go/receiver.go"], { cwd: folder });
        return [binary]; // `go run` would leave its child process running
      },
      () => isInstalled("go", "version"),
    ],
    ["java/Receiver.java", async () => ["java", "java/Receiver.java"], () => isInstalled("javac", "--version")],
    [
      "receiver.php",
      async (port) => ["php", "-S", `localhost:${port}`, "receiver.php"],
      () => isInstalled("php", "-v"),
    ],
  ];

  test.for(programs)(
    "%s accepts and rejects requests as the vectors specify",
    { timeout: 90_000 },
    async ([file, command, isAvailable], { skip }) => {
      skip(!isAvailable(), `${file} skipped: its language is not installed`);
      const port = await freePort();
      const [program, ...args] = await command(port);
      const env = { ...process.env, WEBHOOK_SECRET: SECRET, PORT: String(port) };
      const child = spawn(program!, args, { cwd: folder, env, stdio: "ignore" });
      running.push(child);
      const url = `http://localhost:${port}/webhooks`;
      await vi.waitFor(async () => (await fetch(url, { method: "POST" })).body?.cancel(), {
        timeout: 60_000,
        interval: 50,
      });
      expect(await mismatches(fetch, url)).toEqual([]);
      child.kill("SIGKILL");
    },
  );
});

describe("an example receiver that maps a Request to a Response:", () => {
  test("hono.mjs, fetch.mjs and next-route.ts accept and reject requests as the vectors specify", async () => {
    vi.stubEnv("WEBHOOK_SECRET", SECRET);
    const load = (file: string) => import(join(folder, file));
    const [hono, plain, next] = await Promise.all(["hono.mjs", "fetch.mjs", "next-route.ts"].map(load));
    const logged = vi.spyOn(console, "log").mockReturnValue();
    for (const handler of [async (request: Request) => hono.default.fetch(request), plain.default.fetch, next.POST]) {
      expect(await mismatches(handler, "http://localhost/webhooks")).toEqual([]);
    }
    expect(logged).toHaveBeenCalledWith("video.created", "k1iFD7h4rW");
    logged.mockRestore();
    vi.unstubAllEnvs();
  });
});
