/** An API client that retries each call with the same Idempotency-Key until it gets a response. */
export interface Caller {
  /** Called on each try, because callers may switch to another server. */
  url: () => string;
  key: string;
}

export interface Returned<Body> {
  status: number;
  body: Body;
  /**
   * The number of earlier tries that got no response, a 5xx or IDEMPOTENCY_BUSY. Any of them may have made the change.
   */
  failedTries: number;
}

const TIMEOUT_MS = 240_000; // a server that is killed repeatedly is often not ready, especially on a busy machine

export async function call<Body>(
  { url, key }: Caller,
  method: string,
  path: string,
  body?: object,
  idempotencyKey?: string,
): Promise<Returned<Body>> {
  const headers: Record<string, string> = { authorization: `Bearer ${key}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  const options = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  let last = "no response";
  for (let failedTries = 0, deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; failedTries += 1) {
    const response = await fetch(`${url()}${path}`, { ...options, signal: AbortSignal.timeout(10_000) })
      .then(async (response) => ({ status: response.status, body: (await response.json()) as Body }))
      .catch(() => null);
    const isBusy = response !== null && (response.body as { code?: string }).code === "IDEMPOTENCY_BUSY";
    if (response !== null && response.status < 500 && !isBusy) return { ...response, failedTries };
    if (response !== null) last = JSON.stringify(response.body);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${method} ${path} got no response within ${TIMEOUT_MS} ms; last try: ${last}`);
}

interface Page<Item> {
  data: Item[];
  has_more: boolean;
  next: string | null;
}

/** Reads all items in a list, page by page. */
export async function all<Item>(caller: Caller, path: string): Promise<Item[]> {
  const items: Item[] = [];
  const join = path.includes("?") ? "&" : "?";
  for (let after = ""; ; ) {
    const { status, body } = await call<Page<Item>>(caller, "GET", `${path}${join}limit=100${after}`);
    if (status !== 200) throw new Error(`GET ${path} returned ${status}: ${JSON.stringify(body)}`);
    items.push(...body.data);
    if (!body.has_more) return items;
    after = `&after=${body.next}`;
  }
}
