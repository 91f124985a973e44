import { describe, expect, test } from "vitest";
import { occurrences, type Source, sources } from "./source.ts";

const files = sources("server/src");

interface Rule {
  what: string;
  pattern: RegExp;
  /** The only files that may match the pattern. */
  where: RegExp;
  use: string;
}

const RULES: Rule[] = [
  {
    what: "starts a process",
    pattern: /from "(?:node:)?child_process"|from "node:worker_threads"/,
    where: /^server\/src\/(?:kernel\/spawn|videos\/remux(?:-worker)?)\.ts$/,
    use: "startChild or runBounded of spawn.ts, which limit it (types may be imported with `import type`)",
  },
  {
    what: "reads the environment",
    pattern: /process\.env\b/,
    where: /^server\/src\/config\/config\.ts$/,
    use: "a setting in config.ts, passed in by main.ts",
  },
  {
    what: "reads the clock",
    pattern:
      /\bDate\.now\(|\bperformance\.now\(|new Date\(\)|\bhrtime\b|(?<!\.)\bset(?:Timeout|Interval)\(|timers\/promises/,
    where: /^server\/src\/kernel\/clock\.ts$/,
    use: "the Clock argument, so that tests can set the time",
  },
  {
    what: "draws randomness",
    pattern: /\brandomBytes\b|\brandomUUID\b|\brandomInt\b|Math\.random|getRandomValues/,
    where: /^server\/src\/kernel\/random\.ts$/,
    use: "the Random argument, so that tests can seed it",
  },
  {
    what: "opens a connection",
    pattern:
      /from "undici"|from "nodemailer"|from "node:(?:https|http2|tls|dgram|dns(?:\/promises)?)"|(?<![.\w])fetch\(|\b(?:http|net|tls)\.(?:request|get|connect)\(|\bcreateConnection\(/,
    where: /^server\/src\/net\/(?:connector|resolver|safe-client|in-flight-request|mailer)\.ts$/,
    use: "the safe client of net/, which connects to allowed networks only",
  },
  {
    what: "connects to the database",
    pattern: /^import pg from "pg"/,
    where: /^server\/src\/store\/(?:db|embedded-postgres)\.ts$/,
    use: "the Database argument",
  },
  {
    what: "contains SQL",
    pattern:
      /(?:^|[`"'\s(])(?:select\s.+\sfrom\s|insert\s+into\s+\w|update\s+\w+\s+set\s|delete\s+from\s+\w|create\s+(?:table|index|schema)\b|alter\s+table\b)/i,
    where: /^server\/src\/store\//,
    use: "a function in store/, in the file of its table, with one named statement",
  },
  {
    what: "writes the queue",
    pattern: /\b(?:insert\s+into|update|delete\s+from|truncate)\s+pending_deliveries\b/i,
    where: /^server\/src\/store\/queue\//,
    use: "a function of store/queue/, which has one file for each transition of a delivery",
  },
  {
    what: "ends the process",
    pattern: /process\.exit\(/,
    where: /^server\/src\/(?:main|ops\/shutdown|admin\/cli)\.ts$/,
    use: "an error, or shutdown.begin",
  },
  {
    what: "writes to the console",
    pattern: /\bconsole\.(?:log|error|warn|info)\(/,
    where: /^server\/src\/(?:main|admin\/cli|http\/print-openapi)\.ts$/,
    use: "the Log argument",
  },
];

const typeImport = /import type /;
const offenders = (rule: Rule): string[] =>
  files
    .filter(({ path }) => !rule.where.test(path))
    .flatMap((file: Source) => occurrences(file, rule.pattern).filter((line) => !typeImport.test(line)));

describe("only the designated code", () => {
  test.each(RULES)("$what", (rule) => {
    expect(offenders(rule), `Use ${rule.use}.`).toEqual([]);
  });
});

/** The files of store/ that write each table. Expired rows of several tables are deleted in one place. */
const WRITERS: Record<string, string[]> = {
  api_keys: ["api-keys"],
  attempts: ["erasures", "queue/settle"],
  audit_log: ["audit-log"],
  deliveries: ["history", "queue/cancel", "queue/settle"],
  events: ["erasures", "queue/record"],
  idempotency_keys: ["expired", "idempotency-keys"],
  migrations: ["migrate"],
  nodes: ["nodes"],
  replays: ["queue/cancel", "replays"],
  sign_in_links: ["expired", "sign-in-links"],
  spaces: ["spaces"],
  upload_tokens: ["expired", "upload-tokens"],
  uploads: ["erasures", "uploads"],
  videos: ["erasures", "videos"],
  webhook_hours: ["expired", "webhook-hours"],
  webhooks: ["owner-mail", "webhook-hours", "webhooks"],
};

test.each(Object.entries(WRITERS))("the table %s is written only by the files listed in this test", (table, listed) => {
  const write = new RegExp(`\\b(?:insert into|update|delete from)\\s+${table}\\b`);
  const writers = sources("server/src/store")
    .filter(({ code }) => write.test(code))
    .map(({ path }) => path.replace(/^server\/src\/store\/|\.ts$/g, ""));
  expect(writers.sort(), "Write it in one of these files, or add the new one with its reason.").toEqual(listed);
});

test("the text of an SQL statement is constant", () => {
  const assembled = files.flatMap((file) =>
    ["server/src/store/db.ts", "server/src/store/session.ts"].includes(file.path) // LISTEN takes no parameters
      ? []
      : occurrences(file, /\b(?:run|query)\(\s*\{[^}]*text:\s*[^"`}]*\+|\.query\(`[^`]*\$\{/),
  );
  expect(assembled, "Name the statement and pass values as parameters.").toEqual([]);
});

test("a statement lists the columns it returns, because a newer node may add columns after the statement is prepared", () => {
  const stars = sources("server/src/store").flatMap(({ path, code }) =>
    literals(code)
      .map(withoutParentheses)
      .filter((text) => /(?:\b(?:select|returning|all|distinct)\s+|,\s*)(?:\w+\.)?\*(?!\s*from …)/i.test(text))
      .map((text) => `${path}: ${text.trim().slice(0, 100)}`),
  );
  expect(stars, "PostgreSQL would fail with `cached plan must not change result type`.").toEqual([]);
});

const literals = (code: string): string[] => code.match(/`[^`]*`|"[^"\n]*"/g) ?? [];

function withoutParentheses(text: string): string {
  const inner = text.replaceAll(/\([^()]*\)/g, "…");
  return inner === text ? text : withoutParentheses(inner);
}

test("in a file that runs transactions, signals are emitted only after the commit", () => {
  const early = files
    .filter(({ code }) => code.includes(".transaction("))
    .flatMap(({ path, code }) => {
      const lines = code.split("\n");
      const isEffect = (line: number) =>
        /\bafterCommit\(|\bannounce\(/.test(lines.slice(line - 8, line + 1).join("\n"));
      return lines.flatMap((text, line) =>
        text.includes("signals.emit(") && !isEffect(line) ? [`${path}:${line + 1}`] : [],
      );
    });
  expect(early, "Emit in `tx.afterCommit`, or in a function `announce` that it calls.").toEqual([]);
});

test("an empty catch block contains a comment", () => {
  const silent = files.flatMap((file) => occurrences(file, /catch\s*(?:\(\w*\)\s*)?\{\s*\}/));
  expect(silent, "Handle the error, or add a comment that says why nothing has to be done.").toEqual([]);
});

test("no test is marked skip, only, todo or fails", () => {
  const tests = ["server/src", "test", "packages/webhooks", "dashboard/src"]
    .flatMap((folder) => sources(folder, { tests: true }))
    .filter(({ path }) => path.endsWith(".test.ts"));
  const skipped = tests.flatMap((file) =>
    occurrences(file, /\b(?:test|it|describe)(?:\.each\([^)]*\))?\.(?:skip|only|todo|fails)\b/),
  );
  expect(skipped, 'Fix or delete it. If a program may be missing, use describe.skipIf(without("ffmpeg")).').toEqual([]);
});
