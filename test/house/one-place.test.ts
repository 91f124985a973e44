import { expect, test } from "vitest";
import { occurrences, type Source, sources } from "./source.ts";

const files = sources("server/src");

interface Rule {
  what: string;
  pattern: RegExp;
  /** The only files where it may stand. */
  where: RegExp;
  instead: string;
}

const RULES: Rule[] = [
  {
    what: "starts a process",
    pattern: /from "(?:node:)?child_process"|from "node:worker_threads"/,
    where: /^server\/src\/(?:kernel\/spawn|videos\/remux(?:-worker)?)\.ts$/,
    instead: "startChild or runBounded of spawn.ts, which bounds it (a type may be imported with `import type`)",
  },
  {
    what: "reads the environment",
    pattern: /process\.env\b/,
    where: /^server\/src\/config\/config\.ts$/,
    instead: "a setting in config.ts, handed in by main.ts",
  },
  {
    what: "reads the clock",
    pattern:
      /\bDate\.now\(|\bperformance\.now\(|new Date\(\)|\bhrtime\b|(?<!\.)\bset(?:Timeout|Interval)\(|timers\/promises/,
    where: /^server\/src\/kernel\/clock\.ts$/,
    instead: "the Clock you are handed, so that a test can move time",
  },
  {
    what: "draws randomness",
    pattern: /\brandomBytes\b|\brandomUUID\b|\brandomInt\b|Math\.random|getRandomValues/,
    where: /^server\/src\/kernel\/random\.ts$/,
    instead: "the Random you are handed, so that a test can seed it",
  },
  {
    what: "opens a socket to somewhere",
    pattern:
      /from "undici"|from "node:(?:https|http2|tls|dgram|dns(?:\/promises)?)"|(?<![.\w])fetch\(|\b(?:http|net|tls)\.(?:request|get|connect)\(|\bcreateConnection\(/,
    where: /^server\/src\/net\/|^server\/src\/mail/,
    instead: "the safe client of net/, which keeps to the allowed networks",
  },
  {
    what: "holds SQL",
    pattern:
      /(?:^|[`"'\s(])(?:select\s.+\sfrom\s|insert\s+into\s+\w|update\s+\w+\s+set\s|delete\s+from\s+\w|create\s+(?:table|index|schema)\b|alter\s+table\b)/i,
    where: /^server\/src\/store\//,
    instead: "one named statement with one exported function in the file of its table in store/",
  },
  {
    what: "writes the queue",
    pattern: /\b(?:insert\s+into|update|delete\s+from|truncate)\s+pending_deliveries\b/i,
    where: /^server\/src\/store\/queue\//,
    instead: "a function of store/queue/, which has one file for each transition of a delivery",
  },
  {
    what: "ends the process",
    pattern: /process\.exit\(/,
    where: /^server\/src\/(?:main|ops\/shutdown|admin\/main)\.ts$/,
    instead: "an error, or shutdown.begin",
  },
  {
    what: "writes to the console",
    pattern: /\bconsole\.(?:log|error|warn|info)\(/,
    where: /^server\/src\/(?:main|admin\/main|http\/print-openapi)\.ts$/,
    instead: "the Log you are handed",
  },
];

const typeImport = /import type /;
const offenders = (rule: Rule): string[] =>
  files
    .filter(({ path }) => !rule.where.test(path))
    .flatMap((file: Source) => occurrences(file, rule.pattern).filter((line) => !typeImport.test(line)));

test.each(RULES)("one place $what", (rule) => {
  expect(offenders(rule), `Use ${rule.instead}.`).toEqual([]);
});

test("SQL is never put together: a statement's text is fixed", () => {
  const assembled = files.flatMap((file) =>
    ["server/src/store/db.ts", "server/src/store/session.ts"].includes(file.path) // LISTEN takes no parameter
      ? []
      : occurrences(file, /\b(?:run|query)\(\s*\{[^}]*text:\s*[^"`}]*\+|\.query\(`[^`]*\$\{/),
  );
  expect(assembled, "Name the statement; give it every value as a parameter.").toEqual([]);
});

test("a statement names the columns of its response: a newer node may add one while it is prepared", () => {
  const stars = sources("server/src/store").flatMap(({ path, code }) =>
    literals(code)
      .map(withoutParentheses)
      .filter((text) => /(?:\b(?:select|returning|all|distinct)\s+|,\s*)(?:\w+\.)?\*(?!\s*from …)/i.test(text))
      .map((text) => `${path}: ${text.trim().slice(0, 100)}`),
  );
  expect(stars, "PostgreSQL ends such a statement with `cached plan must not change result type`.").toEqual([]);
});

const literals = (code: string): string[] => code.match(/`[^`]*`|"[^"\n]*"/g) ?? [];

function withoutParentheses(text: string): string {
  const inner = text.replaceAll(/\([^()]*\)/g, "…");
  return inner === text ? text : withoutParentheses(inner);
}

test("no error is swallowed without a word", () => {
  const silent = files.flatMap((file) => occurrences(file, /catch\s*(?:\(\w*\)\s*)?\{\s*\}/));
  expect(silent, "Handle it, or say in a comment inside the braces why nothing has to be done.").toEqual([]);
});

test("no test is skipped or singled out, except by what npm test leaves out aloud", () => {
  const tests = ["server/src", "test", "packages/webhooks", "dashboard/src"]
    .flatMap((folder) => sources(folder, { tests: true }))
    .filter(({ path }) => path.endsWith(".test.ts"));
  const skipped = tests.flatMap((file) =>
    occurrences(file, /\b(?:test|it|describe)(?:\.each\([^)]*\))?\.(?:skip|only|todo|fails)\b/),
  );
  expect(skipped, 'Mend or delete it; where a program may be missing: describe.skipIf(without("ffmpeg")).').toEqual([]);
});
