import { LIMITS } from "../kernel/limits.ts";
import { storeFailure } from "../store/failures.ts";

interface Waiting<Work, Result> {
  work: Work;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Sharing<Work, Result> {
  /** Does all of these in one transaction; one result for each, in their order. */
  commit(works: readonly Work[]): Promise<Result[]>;
  /** Two with the same subject are never in one transaction: a statement does not see what it inserts itself. */
  subject?(work: Work): string | null;
}

/**
 * Gathers work that comes while a commit is running into the next one: one commit for all of it costs hardly more than
 * one for each. Nothing waits where nothing runs; two commits at once made smaller ones of both, and less in all. Where a shared transaction fails by what is in it, each is done alone,
 * so that nobody's work fails by somebody else's; where the database is away, all of it fails.
 */
export function groupCommit<Work, Result>({ commit, subject = () => null }: Sharing<Work, Result>) {
  const waiting: Waiting<Work, Result>[] = [];
  let running = false;

  function run(): void {
    if (running || waiting.length === 0) return;
    running = true;
    void carryOut(takeBatch(waiting, subject)).then(() => {
      running = false;
      run();
    });
  }

  async function carryOut(batch: Waiting<Work, Result>[]): Promise<void> {
    try {
      const results = await commit(batch.map(({ work }) => work));
      batch.forEach(({ resolve }, index) => void resolve(results[index]!));
    } catch (error) {
      if (batch.length === 1 || storeFailure(error) !== null) for (const { reject } of batch) reject(error);
      else for (const one of batch) await carryOut([one]);
    }
  }

  return (work: Work): Promise<Result> =>
    new Promise((resolve, reject) => {
      waiting.push({ work, resolve, reject });
      if (!running) queueMicrotask(run); // whoever comes in the same turn shares it already
    });
}

/** The first ones; of each subject only one. */
function takeBatch<Work, Result>(
  waiting: Waiting<Work, Result>[],
  subject: (work: Work) => string | null,
): Waiting<Work, Result>[] {
  const subjects = new Set<string>();
  const [batch, later]: [Waiting<Work, Result>[], Waiting<Work, Result>[]] = [[], []];
  for (const one of waiting.splice(0, LIMITS.GROUP_COMMIT_EVENTS_MAX)) {
    const about = subject(one.work);
    if (about !== null && subjects.has(about)) later.push(one);
    else batch.push(one);
    if (about !== null) subjects.add(about);
  }
  waiting.unshift(...later);
  return batch;
}
