import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";

export interface Shutdown {
  /**
   * Has `step` run at the end, before every step that was added earlier: what started last ends first. Throws where the
   * end has begun already: a start that is under way goes no further.
   */
  add(name: string, step: () => Promise<void>): void;
  readonly begun: boolean;
  /** Ends everything and then the process. A second call, or a second signal, changes nothing. */
  begin(reason: string, code?: number): void;
}

/**
 * Ends the process in order on SIGTERM, Ctrl-C and a closed terminal. A step that fails is logged and does not keep the
 * next from running; where all of them take longer than SHUTDOWN_MS the process ends anyway, as after a kill: whatever
 * was not finished is found and finished by the next start.
 */
export function createShutdown(log: Log, clock: Clock, exit: (code: number) => void = process.exit): Shutdown {
  const steps: { name: string; step: () => Promise<void> }[] = [];
  let begun = false;

  const end = async (code: number): Promise<void> => {
    const cancel = clock.after(LIMITS.SHUTDOWN_MS - 500, () => {
      log.error("Not everything ended in time; leaving the rest to the next start.");
      exit(1);
    });
    for (const { name, step } of steps.reverse()) {
      await step().catch((error: Error) => log.error({ err: error }, `Ending ${name} failed.`));
    }
    cancel();
    exit(code);
  };

  const begin = (reason: string, code = 0): void => {
    if (begun) return;
    begun = true;
    log.info({ reason }, "Shutting down.");
    void end(code);
  };

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => begin(signal));
  process.on("disconnect", () => begin("the launcher ended")); // even by a kill: its channel to us closed
  process.channel?.unref();
  return {
    add(name, step) {
      if (begun) throw new Error(`The process is ending; ${name} came too late.`);
      steps.push({ name, step });
    },
    get begun() {
      return begun;
    },
    begin,
  };
}
