import { createServer } from "node:net";
import { StartFailure } from "../kernel/start-failure.ts";

/** Checks that the port is free before anything else starts. @returns `port`, or any free port if `port` is 0 */
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

/** Returns an error that tells the operator why the server cannot listen. */
export function portFailure(cause: NodeJS.ErrnoException, port: number, host: string): StartFailure {
  return new StartFailure(sentence(cause, port, host), { cause });
}

function sentence({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === "EADDRINUSE") {
    const other = port < 65_535 ? port + 1 : 3000;
    return `Port ${port} is in use by another program. Stop that program, or use another port: PORT=${other} npm start`;
  }
  if (code === "EACCES")
    return `Port ${port} requires more privileges than this user has. Use a port above 1023, such as PORT=3000.`;
  return (
    `Mave cannot listen on ${host}:${port} (${message}). ` +
    "Set HOST to an address of this machine, or to 0.0.0.0 for all addresses."
  );
}
