import { connect } from "node:net";
import { expect } from "vitest";
import { ROOT, type TestServer } from "../support/server.ts";

/** What a request got back, whatever it was. */
export interface Answer {
  status: number;
  type: string;
  body: string;
}

export interface Operation {
  method: string;
  /** With ids of things that exist, or would be well-formed. */
  path: string;
  /** The request's schema, where it takes a body. */
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

/** Every operation that the server says it has, with paths made whole. @param ids by the name of the path's parameter */
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

export async function ask(url: string, options: RequestInit & { duplex?: "half" }): Promise<Answer> {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(25_000), ...options });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) await response.body?.cancel();
  return { status: response.status, type, body: response.bodyUsed ? "" : await response.text() };
}

/** Bytes on a socket of their own. @returns what came back until the server ended it, or said nothing more for a while */
export function raw(url: string, bytes: string | Buffer, { silent_ms = 1_500 } = {}): Promise<Answer> {
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

/** Nothing of the machine, the code, the database or a secret may be told. */
const LEAKS = new RegExp(
  `${ROOT.replaceAll("/", "\\/")}|node_modules|\\.ts:\\d+|\\n\\s+at |/tmp/|\\bselect .+ from\\b|\\binsert into\\b|` +
    "SQLSTATE|pg_catalog|ECONN|syntax error at|violates|constraint|invalid input syntax|whsec_[A-Za-z0-9+/]",
  "i",
);

/** A refusal: 4xx, a problem with a code and a sentence, and nothing that it should not say. */
export function expectRefusal(response: Answer, what: string): void {
  expect(`${what}: ${response.status} ${response.body.slice(0, 300)}`).toMatch(/: 4\d\d /);
  expect(response.type, what).toContain("application/problem+json");
  const { code, detail, status } = JSON.parse(response.body) as { code: string; detail: string; status: number };
  expect(status, what).toBe(response.status);
  expect(code, what).toMatch(/^[A-Z_]+$/);
  expect(detail, what).toMatch(/\S \S.*[.!…]$/s);
  expectNoLeak(response, what);
}

/** Anything but a failure of the server's own. */
export function expectNoFault(response: Answer, what: string): void {
  expect(`${what}: ${response.status} ${response.body.slice(0, 300)}`).toMatch(/: [1-4]\d\d /);
  expectNoLeak(response, what);
}

function expectNoLeak({ body, status }: Answer, what: string): void {
  if (status >= 400) expect(body, what).not.toMatch(LEAKS);
}
