/**
 * A receiver that costs as little as it can, as a process of its own: it reads requests by their length, answers each
 * with 204, and keeps when each arrived. GET /arrivals gives these times and forgets them.
 */
import { createServer, type Socket } from "node:net";

const RESPONSE = "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n";
const END = "\r\n\r\n";
let arrivals: [id: string, at_ms: number][] = [];
const hangs = process.env.HANGS === "1";
const port = Number(process.env.PORT);
const hosts = Number(process.env.HOSTS ?? 0); // so many more loopback addresses

for (let host = 0; host < hosts; host++) listen(`127.1.${host >> 8}.${host & 255}`);
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
    for (let used = take(socket, rest); used > 0; used = take(socket, rest)) rest = rest.subarray(used);
  });
}

/** @returns how many bytes the first request has, 0 where it is not whole yet */
function take(socket: Socket, bytes: Buffer): number {
  const head = bytes.indexOf(END);
  if (head === -1) return 0;
  const text = bytes.toString("latin1", 0, head);
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const whole = head + END.length + length;
  if (bytes.length < whole) return 0;
  if (text.startsWith("GET")) answerGet(socket, text);
  else if (!hangs || !text.includes(" /hang")) {
    const body = head + END.length;
    arrivals.push([bytes.toString("latin1", body + 7, body + 29), performance.timeOrigin + performance.now()]);
    socket.write(RESPONSE);
  }
  return whole;
}

function answerGet(socket: Socket, text: string): void {
  const body = text.includes("/arrivals") ? JSON.stringify(arrivals) : String(arrivals.length);
  if (text.includes("/arrivals")) arrivals = [];
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
