import { spawn } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { HOSTILITIES, type Hostility } from "./hostilities.ts";

export interface HostileReceiver {
  /** The receiver's URL. The receiver misbehaves on every request. */
  url: string;
  hostility: Hostility;
  /** The number of connections and complete requests so far. */
  seen: { connections: number; requests: number };
  close(): void;
}

/** Starts a receiver that misbehaves in the given way. Each receiver has its own port. */
export async function startHostileReceiver(name: string, hostility = HOSTILITIES[name]!): Promise<HostileReceiver> {
  const seen = { connections: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    if (hostility.onConnection !== undefined) return hostility.onConnection(socket);
    return eachRequest(socket, () => {
      seen.requests += 1;
      hostility.onRequest?.(socket, seen.requests);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${hostility.scheme ?? "http"}://127.0.0.1:${port}/hostile`,
    hostility,
    seen,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Calls `then` once per complete request, that is, once its headers and a body of the declared length have arrived. */
function eachRequest(socket: Socket, then: () => void): void {
  let text = "";
  socket.on("data", (part) => {
    text += part.toString("latin1");
    for (;;) {
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head < 0 || text.length < head + 4 + length) return;
      text = text.slice(head + 4 + length);
      then();
    }
  });
}

/** Opens a port that drops every SYN, because its process is stopped and its accept queue is full. */
export async function startBlackHole(): Promise<{ port: number; close(): void }> {
  const program = `const s = require("net").createServer(); s.listen(0, "127.0.0.1", 1, () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) => child.stdout.once("data", (text) => resolve(Number(text))));
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(fillers.slice(0, 2).map((filler) => new Promise((resolve) => filler.once("connect", resolve))));
  return {
    port,
    close() {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
    },
  };
}
