/** A caller of the API who never gives up: each call is made again, with the same Idempotency-Key, until it is answered. */
export interface Caller {
  /** The server may move; asked for at each try. */
  url: () => string;
  key: string;
}

export interface Answered<Body> {
  status: number;
  body: Body;
  /** Tries that got no response, or a 5xx: the change may have been made by one of them. */
  unanswered: number;
}

const PATIENCE_MS = 240_000; // a server killed again and again serves for a moment only, on a busy machine for none at times

export async function call<Body>(
  { url, key }: Caller,
  method: string,
  path: string,
  body?: object,
  idempotencyKey?: string,
): Promise<Answered<Body>> {
  const headers: Record<string, string> = { authorization: `Bearer ${key}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  const options = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  let last = "nothing";
  for (let unanswered = 0, until = Date.now() + PATIENCE_MS; Date.now() < until; unanswered += 1) {
    const response = await fetch(`${url()}${path}`, { ...options, signal: AbortSignal.timeout(10_000) })
      .then(async (response) => ({ status: response.status, body: (await response.json()) as Body }))
      .catch(() => null);
    const busy = response !== null && (response.body as { code?: string }).code === "IDEMPOTENCY_BUSY";
    if (response !== null && response.status < 500 && !busy) return { ...response, unanswered };
    if (response !== null) last = JSON.stringify(response.body);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${method} ${path} was not answered within ${PATIENCE_MS} ms; at last by: ${last}`);
}

interface Page<Item> {
  data: Item[];
  has_more: boolean;
  next: string | null;
}

/** Every item of a list, page by page. */
export async function all<Item>(caller: Caller, path: string): Promise<Item[]> {
  const items: Item[] = [];
  const join = path.includes("?") ? "&" : "?";
  for (let after = ""; ; ) {
    const { status, body } = await call<Page<Item>>(caller, "GET", `${path}${join}limit=100${after}`);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    items.push(...body.data);
    if (!body.has_more) return items;
    after = `&after=${body.next}`;
  }
}
