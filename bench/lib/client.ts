import { Pool } from "undici";

/** Calls the API of the server under test. @returns the response's JSON @throws unless the status is 2xx */
export async function call<Body = Record<string, unknown>>(
  url: string,
  key: string,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${text}`);
  return JSON.parse(text) as Body;
}

/** Registers a webhook that is subscribed to the given event types. */
export const register = (url: string, key: string, sink: string, events: string[]) =>
  call(url, key, "POST", "/v1/webhooks", { url: sink, events });

export interface Load {
  path: string;
  /** API keys to use in turn, because each has a rate limit. */
  keys: readonly string[];
  body: string;
}

/**
 * Repeats a POST request for `duration_ms`, keeping `concurrency` requests in flight.
 * @returns responses per second
 * @throws if a response is not 2xx
 */
export async function generateLoad(
  origin: string,
  { path, keys, body }: Load,
  concurrency: number,
  duration_ms: number,
): Promise<number> {
  const pool = new Pool(origin, { connections: concurrency });
  const begin = performance.now();
  let done = 0;
  const work = async () => {
    while (performance.now() - begin < duration_ms) {
      const headers = { "content-type": "application/json", authorization: `Bearer ${keys[done % keys.length]}` };
      const response = await pool.request({ path, method: "POST", headers, body });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw new Error(`${origin}${path} returned ${response.statusCode}: ${text}`);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const rate = (done / (performance.now() - begin)) * 1000;
  await pool.close();
  return rate;
}
