import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { systemClock } from "./clock.ts";
import { loadConfig } from "./config.ts";
import { assertLimits } from "./limits.ts";
import { createLog } from "./log.ts";
import { createShutdown } from "./shutdown.ts";
import { StartFailure } from "./start-failure.ts";
import { openStore } from "./store/open-store.ts";

/** The composition root: the only place that constructs things. They start in the order written and end in reverse. */
async function main(): Promise<void> {
  assertLimits();
  const config = await loadConfig();
  const log = createLog(config.logLevel);
  const clock = systemClock;
  const shutdown = createShutdown(log, clock);
  const port = await freePort(config.port, config.host);
  const publicUrl = config.publicUrl ?? `http://localhost:${port}`;

  const store = await openStore({
    ...config,
    log,
    onLost(why) {
      log.fatal({ err: why }, "The database is lost.");
      shutdown.begin("database lost", 1);
    },
  });
  shutdown.add("the database", store.close);

  const server = createServer((request, response) => {
    response.statusCode = request.url === "/readyz" ? 200 : 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, config.host, resolve));
  shutdown.add("the web server", async () => void server.close());
  console.log(`Mave is ready: ${publicUrl}/dashboard/`);
}

/** Asks for the port before anything is started, so that a busy one costs nothing. Port 0: any free one. */
function freePort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocket();
    probe.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new StartFailure(portFault(cause, port, host), { cause })),
    );
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address() as { port: number };
      probe.close(() => resolve(address.port));
    });
  });
}

function portFault({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === "EADDRINUSE") {
    return `Port ${port} is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`;
  }
  if (code === "EACCES")
    return `Port ${port} may not be opened by this user. Choose one from 1024 up, such as PORT=3000.`;
  return `The address ${host}:${port} cannot be listened on (${message}). Set HOST to an address of this machine, or to 0.0.0.0 for all.`;
}

main().catch((error: unknown) => {
  if (!(error instanceof StartFailure)) throw error;
  console.error(error.message);
  process.exit(1);
});
