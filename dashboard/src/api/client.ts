/** The API client. Requests send the session cookie. Every error is an `ApiError`, which pages can display. */

export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
  errors: { path: string; detail: string }[];
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }

  /** Returns the error message for a field of the request body, if there is one. */
  field(name: string): string | undefined {
    return this.problem.errors.find(({ path }) => path === `/${name}` || path.startsWith(`/${name}/`))?.detail;
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Appends the query to the path, omitting empty values, as in `/v1/deliveries?status=pending`. */
export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    search.append(name, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

const unreachable: Problem = {
  status: 0,
  code: "SERVER_UNREACHABLE",
  title: "Server unreachable",
  detail: "The server did not respond. Check that the server is running and that you are online.",
  errors: [],
};

async function problemOf(response: Response): Promise<Problem> {
  const body: Partial<Problem> = await response.json().catch(() => ({}));
  const title = body.title ?? `The server returned ${response.status}`;
  return {
    status: response.status,
    code: body.code ?? `HTTP_${response.status}`,
    title,
    detail: body.detail ?? title,
    errors: body.errors ?? [],
  };
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin" };
  if (signal !== undefined) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  const response = await fetch(path, init).catch((cause) => {
    if (signal?.aborted) throw cause;
    throw new ApiError(unreachable);
  });
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    call<T>("GET", withQuery(path, query), undefined, signal),
  post: <T>(path: string, body: unknown = {}) => call<T>("POST", path, body),
  patch: <T>(path: string, body: unknown) => call<T>("PATCH", path, body),
  delete: <T>(path: string) => call<T>("DELETE", path),
};
