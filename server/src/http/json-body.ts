import type { IncomingMessage } from "node:http";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * Reads an uncompressed JSON body, with limits on its size, nesting depth and arrival time. It is stricter than
 * JSON.parse: it rejects text that two parsers could interpret differently and values that PostgreSQL cannot store.
 */
export async function readJsonBody(
  stream: IncomingMessage,
  after: (delay_ms: number, work: () => void) => () => void,
): Promise<{ raw: Buffer; value: unknown }> {
  if (stream.headers["content-encoding"] !== undefined && stream.headers["content-encoding"] !== "identity")
    throw new MaveError(
      "REQUEST_UNSUPPORTED",
      "Compressed bodies are not supported. Send the body without Content-Encoding.",
    );
  const raw = await readBytes(stream, after);
  return { raw, value: parseJson(raw) };
}

function readBytes(
  stream: IncomingMessage,
  after: (delay_ms: number, work: () => void) => () => void,
): Promise<Buffer> {
  const tooLarge = () =>
    new MaveError("REQUEST_TOO_LARGE", `A JSON body can be at most ${LIMITS.BODY_BYTES} bytes long.`);
  if (Number(stream.headers["content-length"]) > LIMITS.BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cancel = after(LIMITS.BODY_MS, () =>
      end(new MaveError("REQUEST_TIMEOUT", `The complete body must arrive within ${LIMITS.BODY_MS / 1000} s.`)),
    );
    const add = (chunk: Buffer) => {
      size += chunk.length;
      if (size > LIMITS.BODY_BYTES) return end(tooLarge());
      chunks.push(chunk);
    };
    const complete = () => end();
    const broken = () => end(new MaveError("REQUEST_MALFORMED", "The connection closed before the end of the body."));
    function end(error?: Error) {
      cancel();
      stream.off("data", add).off("end", complete).off("error", broken).off("aborted", broken);
      if (error) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    }
    stream.on("data", add).on("end", complete).on("error", broken).on("aborted", broken);
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws REQUEST_MALFORMED */
export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformed("The body is not valid UTF-8.");
  }
  if (text === "") throw malformed("The body is empty, although its content type is JSON.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw malformed(`The body is not valid JSON${position ? ` at character ${position}` : ""}.`);
  }
  checkTokens(text);
  return value;
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** Rejects valid JSON that Mave does not accept, in one pass over the tokens. */
function checkTokens(text: string): void {
  const open: (Set<string> | null)[] = []; // field names seen in each open object; null for an open array
  for (const { 0: token, 1: colon } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : null);
      if (open.length > LIMITS.BODY_DEPTH_MAX)
        throw malformed(`The body is nested more than ${LIMITS.BODY_DEPTH_MAX} levels deep.`);
    } else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) checkName(JSON.parse(token.slice(0, -colon.length)), open.at(-1)!);
    else if (token.includes("\\u")) checkText(JSON.parse(token));
  }
}

function checkName(name: string, names: Set<string>): void {
  checkText(name);
  if (name === "__proto__") throw malformed('A field cannot be named "__proto__".');
  if (names.has(name)) throw malformed(`The field ${JSON.stringify(name.slice(0, 60))} occurs twice.`);
  names.add(name);
}

function checkText(text: string): void {
  if (text.includes("\0")) throw malformed("A string contains the character U+0000, which cannot be stored.");
  if (!text.isWellFormed()) throw malformed("A string contains a lone surrogate, which is not valid Unicode.");
}

const malformed = (detail: string) => new MaveError("REQUEST_MALFORMED", detail);
