import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { storeFailure } from "../store/failures.ts";

interface Waiting<Work, Result> {
  work: Work;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface GroupCommitParts<Work, Result> {
  /** Commits these items of work in one transaction. @returns one result for each, in the same order */
  commit(works: readonly Work[]): Promise<Result[]>;
  /** Work with the same subject never shares a transaction, because a statement does not see its own inserts. */
  subject?(work: Work): string | null;
}

/**
 * Commits work in groups. Work that arrives during a commit waits for the next one, because committing many items costs
 * little more than committing one. If no commit is running, work is committed immediately. Running two commits
 * concurrently turned out to be slower, because each got half the work. If a group fails because of its content, each
 * item is committed alone, so that an invalid item does not fail the others. If the database is unavailable, the whole
 * group fails.
 */
export function groupCommit<Work, Result>({ commit, subject = () => null }: GroupCommitParts<Work, Result>) {
  const waiting: Waiting<Work, Result>[] = [];
  let isRunning = false;

  function run(): void {
    if (isRunning || waiting.length === 0) return;
    isRunning = true;
    void commitGroup(nextGroup(waiting, subject)).then(() => {
      isRunning = false;
      run();
    });
  }

  async function commitGroup(group: Waiting<Work, Result>[]): Promise<void> {
    try {
      const results = await commit(group.map(({ work }) => work));
      group.forEach(({ resolve }, index) => void resolve(results[index]!));
    } catch (error) {
      if (group.length === 1 || storeFailure(error) !== null) for (const { reject } of group) reject(error);
      else for (const one of group) await commitGroup([one]);
    }
  }

  return (work: Work): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= LIMITS.GROUP_COMMIT_WAITING_MAX)
        return reject(new MaveError("OVERLOADED", undefined, { retryAfter_s: LIMITS.OVERLOADED_RETRY_S }));
      waiting.push({ work, resolve, reject });
      if (!isRunning) queueMicrotask(run); // so that the first group includes all work added in this tick
    });
}

/** Removes and returns the oldest items in `waiting`, at most one per subject. */
function nextGroup<Work, Result>(
  waiting: Waiting<Work, Result>[],
  subject: (work: Work) => string | null,
): Waiting<Work, Result>[] {
  const subjects = new Set<string>();
  const [group, later]: [Waiting<Work, Result>[], Waiting<Work, Result>[]] = [[], []];
  for (const one of waiting.splice(0, LIMITS.GROUP_COMMIT_EVENTS_MAX)) {
    const about = subject(one.work);
    if (about !== null && subjects.has(about)) later.push(one);
    else group.push(one);
    if (about !== null) subjects.add(about);
  }
  waiting.unshift(...later);
  return group;
}
