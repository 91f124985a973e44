import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

/** One kind of misbehavior, and the result that the client must report. */
export interface Hostility {
  scheme?: "https";
  /** Runs when a connection opens. */
  onConnection?: (socket: Socket) => void;
  /** Runs after each complete request; `count` starts at 1. */
  onRequest?: (socket: Socket, count: number) => void;
  /** The expected status, or the expected error word if there is no status. */
  expect: number | string;
  /** The expected note, if any. */
  note?: RegExp;
  /** True if the exchange lasts until the client's deadline. */
  stalls?: true;
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
const A_KILOBYTE = "a".repeat(1_024);
const BOMB = gzipSync(Buffer.alloc(50_000_000));

/** Keeps writing as long as the client reads, and respects backpressure. */
function endless(socket: Socket, begin: string, part: string): void {
  socket.write(begin, "latin1");
  const chunk = Buffer.from(part.repeat(Math.ceil(65_536 / part.length)), "latin1");
  const more = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(chunk));
  };
  socket.on("drain", more);
  more();
}

/** Writes one part every 10 ms, which would keep resetting an idle timer. */
function drip(socket: Socket, begin: string, part: string): void {
  socket.write(begin, "latin1");
  const timer = setInterval(() => socket.write(part, "latin1"), 10);
  socket.on("close", () => clearInterval(timer));
}

/** Writes the bytes one at a time, so that the sender reads them in as many parts as possible. */
function byteByByte(socket: Socket, text: string): void {
  socket.setNoDelay(true);
  const bytes = Buffer.from(text, "latin1");
  let at = 0;
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes.subarray(at, ++at));
    else clearInterval(timer);
  }, 1);
  socket.on("close", () => clearInterval(timer));
}

const send =
  (text: string, then?: "end" | "reset"): NonNullable<Hostility["onRequest"]> =>
  (socket) => {
    socket.write(text, "latin1", () => {
      if (then === "reset") socket.resetAndDestroy();
      if (then === "end") socket.end();
    });
  };

const LONGER = /longer than 65536 bytes/;
const UNFINISHED = /not complete after/;
const BROKE_OFF = /connection failed before the response was complete/;

/** The kinds of hostile receivers to test, by name. The safe client's tests cover DNS, certificates and routing. */
export const HOSTILITIES: Record<string, Hostility> = {
  // Faults before the request.
  "TLS that never responds": {
    scheme: "https",
    onConnection: (socket) => void socket.resume(),
    expect: "connect_timeout",
    stalls: true,
  },
  "plain text instead of TLS": {
    scheme: "https",
    onConnection: (socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    expect: "tls_missing",
  },
  "reset at once": { onConnection: (socket) => void socket.resetAndDestroy(), expect: "connection_reset" },
  "end at once": { onConnection: (socket) => void socket.end(), expect: "connection_reset" },
  "another protocol's banner": {
    onConnection: (socket) => void socket.write("220 mail.example ESMTP\r\n"),
    expect: "response_invalid",
  },

  // Stalls.
  "no response": { onRequest: () => {}, expect: "timeout", stalls: true },
  "half-open": { onRequest: (socket) => void socket.end(), expect: "connection_reset" },
  "dripped status line": {
    onRequest: (socket) => drip(socket, "HTTP/1.1 200 O", "K"),
    expect: "timeout",
    stalls: true,
  },
  "dripped headers": { onRequest: (socket) => drip(socket, OK, "x: y\r\n"), expect: "timeout", stalls: true },
  "dripped header value": { onRequest: (socket) => drip(socket, `${OK}x: `, "y"), expect: "timeout", stalls: true },
  "dripped body": {
    onRequest: (socket) => drip(socket, `${OK}content-length: 100000\r\n\r\n`, "."),
    expect: 200,
    note: UNFINISHED,
    stalls: true,
  },
  "dripped chunks": {
    onRequest: (socket) => drip(socket, CHUNKED, "1\r\n.\r\n"),
    expect: 200,
    note: UNFINISHED,
    stalls: true,
  },
  "a body that stops": {
    onRequest: send(`${OK}content-length: 10\r\n\r\nabc`),
    expect: 200,
    note: UNFINISHED,
    stalls: true,
  },

  // Endless responses.
  "endless body with a content-length": {
    onRequest: (socket) => endless(socket, `${OK}content-length: 99999999999\r\n\r\n`, A_KILOBYTE),
    expect: 200,
    note: LONGER,
  },
  "endless chunks": {
    onRequest: (socket) => endless(socket, CHUNKED, `400\r\n${A_KILOBYTE}\r\n`),
    expect: 200,
    note: LONGER,
  },
  "endless body without a length": {
    onRequest: (socket) => endless(socket, `${OK}\r\n`, A_KILOBYTE),
    expect: 200,
    note: LONGER,
  },
  "endless reason phrase": {
    onRequest: (socket) => endless(socket, "HTTP/1.1 200 ", "O"),
    expect: "timeout",
    stalls: true,
  },
  "endless header value": { onRequest: (socket) => endless(socket, `${OK}x: `, "y"), expect: "headers_too_large" },
  "endless header name": { onRequest: (socket) => endless(socket, OK, "x"), expect: "headers_too_large" },
  "endless headers": { onRequest: (socket) => endless(socket, OK, "x: y\r\n"), expect: "headers_too_large" },
  "endless chunk extension": {
    onRequest: (socket) => endless(socket, `${CHUNKED}1;x=`, "y"),
    expect: 200,
    note: /./,
    stalls: true,
  },
  "endless zeros in a chunk size": {
    onRequest: (socket) => endless(socket, CHUNKED, "0"),
    expect: 200,
    note: /./,
    stalls: true,
  },
  "endless trailers": {
    onRequest: (socket) => endless(socket, `${CHUNKED}0\r\n`, "x: y\r\n"),
    expect: 200,
    note: BROKE_OFF,
  },

  // Sizes at and just over each limit.
  "headers just over the limit": {
    onRequest: send(`${OK}x: ${"y".repeat(16_384)}\r\ncontent-length: 0\r\n\r\n`),
    expect: "headers_too_large",
  },
  "headers just under the limit": {
    onRequest: send(`${OK}x: ${"y".repeat(16_000)}\r\ncontent-length: 0\r\n\r\n`),
    expect: 200,
  },
  "a body one byte over the limit": {
    onRequest: send(`${OK}content-length: 65537\r\n\r\n${"a".repeat(65_537)}`),
    expect: 200,
    note: LONGER,
  },
  "a body exactly at the limit": {
    onRequest: send(`${OK}content-length: 65536\r\n\r\n${"a".repeat(65_536)}`),
    expect: 200,
  },
  "a gzip bomb": {
    onRequest: (socket) => {
      socket.write(`${OK}content-encoding: gzip\r\ncontent-length: ${BOMB.length}\r\n\r\n`);
      socket.write(BOMB);
    },
    expect: 200,
  },

  // Interim responses.
  "an unexpected 100": {
    onRequest: send(`HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`),
    expect: 200,
  },
  "an unexpected 100 in parts, with headers, before others": {
    onRequest: (socket) => {
      const interim =
        "HTTP/1.1 100 Continue\r\nx: HTTP/1.1 100\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Go\r\n\r\n";
      byteByByte(socket, `${interim}${OK}content-length: 0\r\n\r\n`);
    },
    expect: 200,
  },
  "a flood of 100": {
    onRequest: (socket) => endless(socket, "", "HTTP/1.1 100 Continue\r\n\r\n"),
    expect: "response_invalid",
  },
  "an unexpected 101": {
    onRequest: send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    expect: "response_invalid",
  },
  "103, then a response": {
    onRequest: send(`HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n${OK}content-length: 0\r\n\r\n`),
    expect: 200,
  },
  "103, then nothing": {
    onRequest: send("HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n"),
    expect: "timeout",
    stalls: true,
  },
  "a drip of 103": {
    onRequest: (socket) => drip(socket, "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    expect: "response_invalid",
  },
  "a flood of 103": {
    onRequest: (socket) => endless(socket, "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    expect: "response_invalid",
  },

  // Malformed responses.
  "HTTP/0.9": { onRequest: send("<html>hello</html>", "end"), expect: "response_invalid" },
  "line feeds without carriage returns": {
    onRequest: send("HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
    expect: "response_invalid",
  },
  "HTTP/2 frames": {
    onRequest: (socket) => void socket.write(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])),
    expect: "http2_only",
  },
  "a content-length that is not a number": {
    onRequest: send(`${OK}content-length: ten\r\n\r\n`),
    expect: "response_invalid",
  },
  "a negative content-length": { onRequest: send(`${OK}content-length: -1\r\n\r\n`), expect: "response_invalid" },
  "two content-lengths": {
    onRequest: send(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`),
    expect: "response_invalid",
  },
  "a content-length beyond 64 bits": {
    onRequest: send(`${OK}content-length: 99999999999999999999999\r\n\r\n`),
    expect: "response_invalid",
  },
  "both content-length and chunked encoding": {
    onRequest: send(`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    expect: "response_invalid",
  },
  "a chunk size that is not a number": { onRequest: send(`${CHUNKED}zz\r\nabc\r\n`), expect: 200, note: BROKE_OFF },
  "a chunk longer than its declared size": { onRequest: send(`${CHUNKED}1\r\nabc\r\n`), expect: 200, note: BROKE_OFF },
  "NUL in a header": { onRequest: send(`${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`), expect: "response_invalid" },
  "a space in a header name": {
    onRequest: send(`${OK}x y: z\r\ncontent-length: 0\r\n\r\n`),
    expect: "response_invalid",
  },
  "status 000": { onRequest: send("HTTP/1.1 000 Zero\r\ncontent-length: 0\r\n\r\n"), expect: "response_invalid" },
  "status 999": { onRequest: send("HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n"), expect: 999 },
  "status 1000": { onRequest: send("HTTP/1.1 1000 More\r\ncontent-length: 0\r\n\r\n"), expect: "response_invalid" },
  "status 20": { onRequest: send("HTTP/1.1 20 Less\r\ncontent-length: 0\r\n\r\n"), expect: "response_invalid" },

  // Connections that end early.
  "reset after the request": { onRequest: (socket) => void socket.resetAndDestroy(), expect: "connection_reset" },
  "end in the middle of the headers": { onRequest: send(`${OK}content-le`, "end"), expect: "connection_reset" },
  "reset in the middle of the headers": { onRequest: send(`${OK}content-le`, "reset"), expect: "connection_reset" },
  "end in the middle of the body": {
    onRequest: send(`${OK}content-length: 10\r\n\r\nabc`, "end"),
    expect: 200,
    note: BROKE_OFF,
  },
  "reset in the middle of the body": {
    onRequest: send(`${OK}content-length: 10\r\n\r\nabc`, "reset"),
    expect: 200,
    note: BROKE_OFF,
  },
  "end in the middle of a chunk": { onRequest: send(`${CHUNKED}5\r\nab`, "end"), expect: 200, note: BROKE_OFF },

  // Redirects.
  "a redirect to itself": {
    onRequest: send("HTTP/1.1 302 Found\r\nlocation: /hostile\r\ncontent-length: 0\r\n\r\n"),
    expect: 302,
  },
  "a redirect to a private address": {
    onRequest: send("HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"),
    expect: 307,
  },
  "a redirect to another scheme": {
    onRequest: send("HTTP/1.1 301 Go\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n"),
    expect: 301,
  },

  // Statuses with a special meaning.
  "204 with a body": { onRequest: send("HTTP/1.1 204 No Content\r\n\r\nsurprise"), expect: 204 },
  "304 with a body": { onRequest: send("HTTP/1.1 304 Not Modified\r\n\r\nsurprise"), expect: 304 },
  "410": { onRequest: send("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"), expect: 410 },
  "429 with an invalid Retry-After": {
    onRequest: send("HTTP/1.1 429 Slow\r\nretry-after: -1, yesterday\r\ncontent-length: 0\r\n\r\n"),
    expect: 429,
  },
  "503 with a huge Retry-After": {
    onRequest: send(`HTTP/1.1 503 No\r\nretry-after: ${"9".repeat(400)}\r\ncontent-length: 0\r\n\r\n`),
    expect: 503,
  },
  "headers named after built-in object properties": {
    onRequest: send(`${OK}__proto__: x\r\nconstructor: y\r\ntoString: z\r\ncontent-length: 0\r\n\r\n`),
    expect: 200,
  },
};
