import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { createSignals } from "../kernel/signals.ts";
import { createHttp, type HttpParts } from "./http.ts";

/**
 * Builds the OpenAPI document without starting a server. This works because routes use their dependencies only when
 * they are called. When run as a program, this module prints the document or writes it to the file named by the first
 * argument.
 */
export async function openApiDocument(publicUrl = "http://localhost:3000", version = "0.1.0"): Promise<object> {
  const parts = { publicUrl, version, trustProxy: false, metricsToken: null, hasApiRole: true, metrics: {} };
  const local = { log: createLog("silent"), clock: systemClock, random: systemRandom, live: createSignals() };
  const http = await createHttp({ ...parts, ...local } as unknown as HttpParts);
  const document = http.app.swagger();
  await http.close();
  return document;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = `${JSON.stringify(await openApiDocument(), null, 2)}\n`;
  const [file] = process.argv.slice(2);
  if (file === undefined) process.stdout.write(text);
  else await writeFile(file, text);
}
