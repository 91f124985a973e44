import { once } from "node:events";
import { freePort, runNode } from "../../test/support/server.ts";

export interface Program {
  url: string;
  pid: number;
  end(): Promise<void>;
}

/** Starts one of the bare programs on a port of its own, as a process of its own, and waits until it answers. */
export async function startBare(file: string, env: Record<string, string> = {}): Promise<Program> {
  const port = await freePort();
  const child = runNode([file], { ...process.env, ...env, PORT: String(port) });
  child.stderr!.pipe(process.stderr);
  process.once("exit", () => child.kill("SIGKILL")); // where the bench fails
  const url = `http://127.0.0.1:${port}`;
  for (let ready = false; !ready && child.exitCode === null; ) {
    ready = await fetch(`${url}/readyz`).then(
      () => true,
      () => false,
    );
  }
  return {
    url,
    pid: child.pid!,
    async end() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
