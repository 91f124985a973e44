import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/server.ts";

/** A TypeScript file in the repository. */
export interface Source {
  /** The path relative to the repository root. */
  path: string;
  text: string;
  lines: number;
  readonly imports: Import[];
  readonly functions: { name: string; line: number; lines: number }[];
  readonly logCalls: LogCall[];
  /** The text with comments blanked out, so that rules about code ignore them. */
  readonly code: string;
}

export interface Import {
  /** A path relative to the repository root, or the name of a package. */
  from: string;
  typeOnly: boolean;
  names: string[];
}

export interface LogCall {
  line: number;
  /** Null if the message is not a string literal. */
  message: string | null;
}

/** The paths of the repository's files, relative to its root. */
export const paths: readonly string[] = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT })
  .toString()
  .split("\n")
  .filter((path) => path !== "" && !/(?:^|\/)node_modules|\.gen\.ts$|package-lock\.json$/.test(path));

export const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Returns the TypeScript files in a folder and its subfolders, by default without test files. */
export const sources = (folder: string, { tests = false } = {}): Source[] =>
  paths
    .filter((path) => path.startsWith(`${folder}/`) && /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .filter((path) => tests || !/\.test\.tsx?$/.test(path))
    .sort()
    .map(read);

/** Reads a file. It is parsed only on demand, because many rules need only its text. */
function read(path: string): Source {
  const text = textOf(path);
  const file = once(() => ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  const parts = {
    imports: once(() => importsOf(file(), path)),
    functions: once(() => functionsOf(file())),
    logCalls: once(() => logCallsOf(file())),
    code: once(() => withoutComments(file())),
  };
  return {
    path,
    text,
    lines: text.trimEnd().split("\n").length,
    get imports() {
      return parts.imports();
    },
    get functions() {
      return parts.functions();
    },
    get logCalls() {
      return parts.logCalls();
    },
    get code() {
      return parts.code();
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}

function importsOf(file: ts.SourceFile, path: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, names: string[]): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const { text } = specifier;
    const from = text.startsWith(".") ? relative(ROOT, join(ROOT, path, "..", text)) : text;
    found.push({ from, typeOnly, names });
  };
  walk(file, (node) => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
      const onlyTypes = elements.length > 0 && !node.importClause?.name && elements.every((each) => each.isTypeOnly);
      const isType = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      const values = elements.filter((each) => !each.isTypeOnly);
      const names = values.map((each) => (each.propertyName ?? each.name).text);
      add(node.moduleSpecifier, isType || onlyTypes, names);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, []);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true, []);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, []);
    }
  });
  return found;
}

function functionsOf(file: ts.SourceFile): Source["functions"] {
  const found: Source["functions"] = [];
  walk(file, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return;
    const line = lineOf(file, node.getStart(file));
    found.push({ name: nameOf(node), line, lines: lineOf(file, node.end) - line + 1 });
  });
  return found;
}

function nameOf(node: ts.Node): string {
  const named = node as { name?: ts.Node };
  if (named.name !== undefined) return named.name.getText();
  const parent = node.parent as { name?: ts.Node };
  return parent.name?.getText() ?? "(anonymous)";
}

const LOG_METHODS = new Set(["debug", "info", "warn", "error", "fatal"]);

/** Finds calls such as `log.warn({ err }, "Claim failed; retrying")`. */
function logCallsOf(file: ts.SourceFile): LogCall[] {
  const found: LogCall[] = [];
  walk(file, (node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const { name, expression } = node.expression;
    if (!LOG_METHODS.has(name.text) || !/\blog$/.test(expression.getText(file))) return;
    const [first, second] = node.arguments;
    const message = second ?? first;
    const isLiteral = message !== undefined && ts.isStringLiteralLike(message);
    found.push({ line: lineOf(file, node.getStart(file)), message: isLiteral ? message.text : null });
  });
  return found;
}

const lineOf = (file: ts.SourceFile, position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Replaces comments with spaces and keeps line breaks. */
function withoutComments(file: ts.SourceFile): string {
  const ranges = new Map<number, number>();
  const add = (found: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of found ?? []) ranges.set(pos, end);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) return;
    const children = node.getChildren(file);
    if (children.length === 0) {
      add(ts.getLeadingCommentRanges(file.text, node.pos));
      add(ts.getTrailingCommentRanges(file.text, node.end));
    }
    for (const child of children) visit(child);
  };
  visit(file);
  let code = file.text;
  for (const [start, end] of ranges) {
    code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, " ") + code.slice(end);
  }
  return code;
}

/** Returns the lines of code that match, in the form `path:line  text`. */
export function occurrences(source: Source, pattern: RegExp): string[] {
  if (!new RegExp(pattern, `${pattern.flags}m`).test(source.text)) return [];
  const { path, text } = source;
  const lines = text.split("\n");
  return source.code
    .split("\n")
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}  ${lines[index]!.trim()}`] : []));
}
