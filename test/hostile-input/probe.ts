import { connect } from "node:net";
import { expect } from "vitest";
import { ROOT, type TestServer } from "../support/server.ts";

export interface ProbeResponse {
  status: number;
  type: string;
  body: string;
}

export interface Operation {
  method: string;
  /** The path, with ids that exist or are at least well-formed. */
  path: string;
  /** The request body's schema, or null if the operation takes no body. */
  body: JsonSchema | null;
  query: string[];
}

export interface JsonSchema {
  type?: string | string[];
  $ref?: string;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

interface Document {
  paths: Record<string, Record<string, { parameters?: Parameter[]; requestBody?: RequestBody; operationId?: string }>>;
  components: { schemas: Record<string, JsonSchema> };
}
interface Parameter {
  in: string;
  name: string;
}
interface RequestBody {
  content: Record<string, { schema: JsonSchema }>;
}

/** Lists every operation in the server's OpenAPI document. @param idOf returns the id to insert into a path */
export async function operations(server: TestServer, idOf: (path: string) => string): Promise<Operation[]> {
  const document = (await (await fetch(`${server.url}/v1/openapi.json`)).json()) as Document;
  const resolve = (schema: JsonSchema): JsonSchema =>
    schema.$ref ? resolve(document.components.schemas[schema.$ref.split("/").pop()!]!) : schema;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path: path.replace(/\{[^}]+\}/, idOf(path)),
        body: requestBody?.content["application/json"] ? resolve(requestBody.content["application/json"].schema) : null,
        query: parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name),
      })),
  );
}

export async function ask(url: string, options: RequestInit & { duplex?: "half" }): Promise<ProbeResponse> {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(25_000), ...options });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) await response.body?.cancel();
  return { status: response.status, type, body: response.bodyUsed ? "" : await response.text() };
}

/** Sends raw bytes on a new socket. @returns the response once the server closes the socket or goes silent */
export function raw(url: string, bytes: string | Buffer, { silent_ms = 1_500 } = {}): Promise<ProbeResponse> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes as Buffer));
    const done = (): void => {
      socket.destroy();
      const text = Buffer.concat(parts).toString("latin1");
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      const type = /\r\ncontent-type: ([^\r]*)/i.exec(text)?.[1] ?? "";
      resolve({ status, type, body: text.slice(text.indexOf("\r\n\r\n") + 4) });
    };
    socket.setTimeout(silent_ms, done);
    socket.on("data", (part) => parts.push(part));
    socket.on("end", done).on("close", done);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") done();
      else reject(error);
    });
  });
}

/** Details of the machine, code, database or secrets that no response may reveal. */
const LEAKS = new RegExp(
  `${ROOT.replaceAll("/", "\\/")}|node_modules|\\.ts:\\d+|\\n\\s+at |/tmp/|\\bselect .+ from\\b|\\binsert into\\b|` +
    "SQLSTATE|pg_catalog|ECONN|syntax error at|violates|constraint|invalid input syntax|whsec_[A-Za-z0-9+/]",
  "i",
);

/** Expects a 4xx problem with a code and a message that reveals no internals. */
export function expectRefusal(response: ProbeResponse, what: string): void {
  expect(`${what}: ${response.status} ${response.body.slice(0, 300)}`).toMatch(/: 4\d\d /);
  expect(response.type, what).toContain("application/problem+json");
  const { code, detail, status } = JSON.parse(response.body) as { code: string; detail: string; status: number };
  expect(status, what).toBe(response.status);
  expect(code, what).toMatch(/^[A-Z_]+$/);
  expect(detail, what).toMatch(/\S \S.*[.!…]$/s);
  expectNoLeak(response, what);
}

/** Expects any response except a server error. */
export function expectNoFault(response: ProbeResponse, what: string): void {
  expect(`${what}: ${response.status} ${response.body.slice(0, 300)}`).toMatch(/: [1-4]\d\d /);
  expectNoLeak(response, what);
}

function expectNoLeak({ body, status }: ProbeResponse, what: string): void {
  if (status >= 400) expect(body, what).not.toMatch(LEAKS);
}
