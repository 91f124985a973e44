import { createServer } from "node:net";
import { StartFailure } from "../kernel/start-failure.ts";

/** Asks for the port before anything is started, so that a busy one costs nothing. @returns it; for 0, any free one */
export function findPort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (cause) => reject(portFailure(cause, port, host)));
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address() as { port: number };
      probe.close(() => resolve(address.port));
    });
  });
}

/** Why a port cannot be listened on, for the operator. */
export function portFailure(cause: NodeJS.ErrnoException, port: number, host: string): StartFailure {
  return new StartFailure(sentence(cause, port, host), { cause });
}

function sentence({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === "EADDRINUSE") {
    const other = port < 65_535 ? port + 1 : 3000;
    return `Port ${port} is in use by another program. Stop that one, or choose another port: PORT=${other} npm start`;
  }
  if (code === "EACCES")
    return `Port ${port} may not be opened by this user. Choose one from 1024 up, such as PORT=3000.`;
  return (
    `The address ${host}:${port} cannot be listened on (${message}). ` +
    "Set HOST to an address of this machine, or to 0.0.0.0 for all of them."
  );
}
