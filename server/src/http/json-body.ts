import type { IncomingMessage } from "node:http";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * Reads a JSON body, with every bound that a body has: size, time, encoding and depth. Stricter than JSON.parse where
 * two parsers could read one text differently, or where the store could not keep what it says.
 */
export async function readJsonBody(
  stream: IncomingMessage,
  after: (delay_ms: number, work: () => void) => () => void,
): Promise<{ raw: Buffer; value: unknown }> {
  if (stream.headers["content-encoding"] !== undefined && stream.headers["content-encoding"] !== "identity")
    throw new MaveError("REQUEST_UNSUPPORTED", "Send the body as it is: compressed bodies are not accepted.");
  const raw = await readBytes(stream, after);
  return { raw, value: parseJson(raw) };
}

function readBytes(
  stream: IncomingMessage,
  after: (delay_ms: number, work: () => void) => () => void,
): Promise<Buffer> {
  const tooLarge = () => new MaveError("REQUEST_TOO_LARGE", `A JSON body may have ${LIMITS.BODY_BYTES} bytes at most.`);
  if (Number(stream.headers["content-length"]) > LIMITS.BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cancel = after(LIMITS.BODY_MS, () =>
      end(new MaveError("REQUEST_TIMEOUT", `The whole body has to arrive within ${LIMITS.BODY_MS / 1000} s.`)),
    );
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > LIMITS.BODY_BYTES) return end(tooLarge());
      chunks.push(chunk);
    };
    const whole = () => end();
    const broken = () => end(new MaveError("REQUEST_MALFORMED", "The body broke off before its end."));
    function end(error?: Error) {
      cancel();
      stream.off("data", take).off("end", whole).off("error", broken).off("aborted", broken);
      if (error) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    }
    stream.on("data", take).on("end", whole).on("error", broken).on("aborted", broken);
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @returns the value of a JSON text; throws REQUEST_MALFORMED with a sentence that says what is wrong with it */
export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformed("The body is not UTF-8.");
  }
  if (text === "") throw malformed("The body is empty, but its content type promises JSON.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw malformed(`The body is not JSON${position ? `: see character ${position}` : ""}.`);
  }
  checkTokens(text);
  return value;
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** What JSON.parse lets pass, found in one walk over the tokens of a text that is known to be JSON. */
function checkTokens(text: string): void {
  const open: (Set<string> | null)[] = []; // an object's names so far; null for an array
  for (const { 0: token, 1: colon } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : null);
      if (open.length > LIMITS.BODY_DEPTH_MAX) throw malformed(`It is nested over ${LIMITS.BODY_DEPTH_MAX} deep.`);
    } else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) checkName(JSON.parse(token.slice(0, -colon.length)), open.at(-1)!);
    else if (token.includes("\\u")) checkText(JSON.parse(token));
  }
}

function checkName(name: string, names: Set<string>): void {
  checkText(name);
  if (name === "__proto__") throw malformed('A field may not be called "__proto__".');
  if (names.has(name)) throw malformed(`A field is given twice: ${JSON.stringify(name.slice(0, 60))}.`);
  names.add(name);
}

function checkText(text: string): void {
  if (text.includes("\0")) throw malformed("A text holds the character U+0000, which cannot be kept.");
  if (!text.isWellFormed()) throw malformed("A text holds half of a surrogate pair, which is not Unicode.");
}

const malformed = (detail: string) => new MaveError("REQUEST_MALFORMED", detail);
