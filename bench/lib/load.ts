import { Pool } from "undici";

export interface Shot {
  path: string;
  /** API keys, used in turn: each has a limit per minute. */
  keys: readonly string[];
  body: string;
}

/**
 * Sends the same request again and again, `concurrency` at a time.
 * @returns how many were answered in a second
 * @throws where one is answered with anything but 2xx
 */
export async function shoot(
  origin: string,
  { path, keys, body }: Shot,
  concurrency: number,
  for_ms: number,
): Promise<number> {
  const pool = new Pool(origin, { connections: concurrency });
  const begun = performance.now();
  let answered = 0;
  const work = async () => {
    while (performance.now() - begun < for_ms) {
      const headers = { "content-type": "application/json", authorization: `Bearer ${keys[answered % keys.length]}` };
      const response = await pool.request({ path, method: "POST", headers, body });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw new Error(`${origin}${path} answered ${response.statusCode}: ${text}`);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const took_s = (performance.now() - begun) / 1000;
  await pool.close();
  return answered / took_s;
}
