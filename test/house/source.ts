import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/server.ts";

/** One file of ours, as TypeScript reads it. */
export interface Source {
  /** From the repository's root. */
  path: string;
  text: string;
  lines: number;
  imports: Import[];
  functions: { name: string; line: number; lines: number }[];
  /** The text with its comments blanked, so that a word in a sentence breaks no rule. */
  readonly code: string;
}

export interface Import {
  /** A path from the repository's root for a file of ours, else the package's name. */
  from: string;
  typeOnly: boolean;
  names: string[];
}

const SKIPPED = /\/(?:node_modules|dist|generated|coverage)\/|\.gen\.ts$|\.d\.ts$/;

/** Every TypeScript file below a folder; tests only where asked for. */
export function sources(folder: string, { tests = false } = {}): Source[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return names
    .map((name) => join(folder, name))
    .filter((path) => /\.tsx?$/.test(path) && !SKIPPED.test(`/${path}`) && (tests || !/\.test\.tsx?$/.test(path)))
    .sort()
    .map(read);
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  let stripped: string | null = null; // costs more than all the rest, and few ask
  return {
    path,
    text,
    lines: text.trimEnd().split("\n").length,
    imports: importsOf(file, path),
    functions: functionsOf(file),
    get code() {
      stripped ??= withoutComments(file);
      return stripped;
    },
  };
}

function importsOf(file: ts.SourceFile, path: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean, names: string[]): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const { text } = specifier;
    const from = text.startsWith(".") ? relative(ROOT, join(ROOT, path, "..", text)) : text;
    found.push({ from, typeOnly, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
      const allTypes = elements.length > 0 && !node.importClause?.name && elements.every((each) => each.isTypeOnly);
      const isType = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      const values = elements.filter((each) => !each.isTypeOnly);
      add(
        node.moduleSpecifier,
        isType || allTypes,
        values.map((each) => (each.propertyName ?? each.name).text),
      );
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, []);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, []);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function functionsOf(file: ts.SourceFile): Source["functions"] {
  const found: Source["functions"] = [];
  const lineOf = (position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const line = lineOf(node.getStart(file));
      found.push({ name: nameOf(node), line, lines: lineOf(node.end) - line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function nameOf(node: ts.Node): string {
  const named = node as { name?: ts.Node };
  if (named.name !== undefined) return named.name.getText();
  const parent = node.parent as { name?: ts.Node };
  return parent.name?.getText() ?? "(without a name)";
}

/** Blanks what stands in comments, line for line. */
function withoutComments(file: ts.SourceFile): string {
  const ranges = new Map<number, number>();
  const note = (found: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of found ?? []) ranges.set(pos, end);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) return;
    const children = node.getChildren(file);
    if (children.length === 0) {
      note(ts.getLeadingCommentRanges(file.text, node.pos));
      note(ts.getTrailingCommentRanges(file.text, node.end));
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

/** Where a pattern occurs in the code: `path:line  the line`. */
export function occurrences(source: Source, pattern: RegExp): string[] {
  if (!new RegExp(pattern, `${pattern.flags}m`).test(source.text)) return [];
  const { path, text } = source;
  const lines = text.split("\n");
  return source.code
    .split("\n")
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}  ${lines[index]!.trim()}`] : []));
}
