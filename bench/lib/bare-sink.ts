/**
 * A minimal-overhead receiver that runs in its own process. It splits the stream into requests by Content-Length,
 * counts them, and responds with 204. A GET request returns the count, and GET /reset also resets it to 0.
 */
import { createServer, type Socket } from "node:net";
import { addressOf } from "./sink.ts";

const RESPONSE = "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n";
const END = "\r\n\r\n";
let received = 0;
const hangs = process.env.HANGS === "1";
const port = Number(process.env.PORT);
const hosts = Number(process.env.HOSTS ?? 0); // additional loopback addresses

for (let host = 0; host < hosts; host++) listen(addressOf(host));
listen("127.0.0.1");

function listen(address: string): void {
  createServer(serve).listen(port, address);
}

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let used = consume(socket, rest); used > 0; used = consume(socket, rest)) rest = rest.subarray(used);
  });
}

/** Handles the first request in `bytes`. @returns its length, or 0 if it is incomplete */
function consume(socket: Socket, bytes: Buffer): number {
  const head = bytes.indexOf(END);
  if (head === -1) return 0;
  const text = bytes.toString("latin1", 0, head);
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const whole = head + END.length + length;
  if (bytes.length < whole) return 0;
  if (text.startsWith("GET")) respondWithCount(socket, text);
  else if (!hangs || !text.includes(" /hang")) {
    received += 1;
    socket.write(RESPONSE);
  }
  return whole;
}

function respondWithCount(socket: Socket, text: string): void {
  const body = String(received);
  if (text.includes("/reset")) received = 0;
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
