import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";

export interface Shutdown {
  /**
   * Adds a step that runs before all steps added earlier, so that services stop in reverse order. Throws if the
   * shutdown has begun, to stop a startup that is still in progress.
   */
  add(name: string, step: () => Promise<void>): void;
  readonly begun: boolean;
  /** Runs all steps and then exits. A second call or signal has no effect. */
  begin(reason: string, code?: number): void;
}

/**
 * Shuts down in order on SIGTERM, SIGINT and SIGHUP. A failed step is logged, and the remaining steps still run. If the
 * steps take too long, the process exits shortly before SHUTDOWN_MS, and the next startup will recover unfinished work,
 * as after a kill.
 */
export function createShutdown(log: Log, clock: Clock, exit: (code: number) => void = process.exit): Shutdown {
  const steps: { name: string; step: () => Promise<void> }[] = [];
  let begun = false;

  const end = async (code: number): Promise<void> => {
    const cancel = clock.after(LIMITS.SHUTDOWN_MS - LIMITS.SHUTDOWN_EXIT_MS, () => {
      log.error("Shutdown timed out; the next startup will recover unfinished work");
      exit(1);
    });
    for (const { name, step } of steps.reverse()) {
      await step().catch((error: Error) => log.error({ err: error, step: name }, "Shutdown step failed"));
    }
    cancel();
    exit(code);
  };

  const begin = (reason: string, code = 0): void => {
    if (begun) return;
    begun = true;
    log.info({ reason }, "Shutting down");
    void end(code);
  };

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => begin(signal));
  process.on("disconnect", () => begin("the launcher exited")); // emitted even if the launcher is killed
  process.channel?.unref();
  return {
    add(name, step) {
      if (begun) throw new Error(`The process is shutting down, so the step "${name}" cannot be added.`);
      steps.push({ name, step });
    },
    get begun() {
      return begun;
    },
    begin,
  };
}
