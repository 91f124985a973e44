import type { Profiler } from "node:inspector";

/** A function on the stack and all that ran inside it. */
interface Frame {
  name: string;
  /** Of which part of the program it is: its colour. */
  part: Part;
  self: number;
  total: number;
  children: Map<string, Frame>;
}

const COLOURS = {
  mave: "#f2a65a",
  undici: "#7fb7e6",
  pg: "#9ccf8f",
  node: "#cfcfd6",
  collector: "#e58a8a",
} as const;
type Part = keyof typeof COLOURS;

const [WIDTH, ROW, TEXT, CHARACTER] = [1200, 17, 11, 6.2];
/** Narrower ones are left out. */
const SHARE_MIN = 0.002;

/**
 * Draws a CPU profile as a flame graph: from below, who called whom; as wide as the share of the samples in it.
 * @returns an SVG
 */
export function flameGraph({ nodes, samples = [] }: Profiler.Profile, title: string): string {
  const root = newFrame(title, "node");
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const pathOf = (id: number): number[] => {
    const parent = parents.get(id);
    return parent === undefined ? [] : [...pathOf(parent), id];
  };
  for (const [id, count] of counted(samples)) {
    const path = pathOf(id).map((each) => byId.get(each)!.callFrame);
    if (path.some(({ functionName }) => functionName === "(idle)" || functionName === "(program)")) continue;
    add(root, path, count);
  }
  return draw(root, title);
}

function counted(samples: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

const newFrame = (name: string, part: Part): Frame => ({ name, part, self: 0, total: 0, children: new Map() });

function add(root: Frame, path: Profiler.Profile["nodes"][number]["callFrame"][], count: number): void {
  let frame = root;
  frame.total += count;
  for (const { functionName, url } of path) {
    const file = url.split("/").at(-1)!;
    const name = `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}`}`;
    const known = frame.children.get(name);
    const child = known ?? newFrame(name, partOf(functionName, url));
    if (known === undefined) frame.children.set(name, child);
    frame = child;
    frame.total += count;
  }
  frame.self += count;
}

function partOf(functionName: string, url: string): Part {
  if (functionName === "(garbage collector)") return "collector";
  if (url.includes("/undici/") || url.startsWith("wasm:")) return "undici";
  if (/\/pg(-\w+)?\//.test(url)) return "pg";
  return url.startsWith("node:") || url === "" ? "node" : "mave";
}

function draw(root: Frame, title: string): string {
  const boxes: string[] = [];
  const least = root.total * SHARE_MIN;
  let deepest = 0;
  const place = (frame: Frame, x: number, depth: number): void => {
    deepest = Math.max(deepest, depth);
    boxes.push(box(frame, x, depth, root.total));
    let left = x;
    const children = [...frame.children.values()].sort((a, b) => b.total - a.total);
    for (const child of children) {
      if (child.total >= least) place(child, left, depth + 1);
      left += child.total;
    }
  };
  place(root, 0, 0);
  const height = (deepest + 1) * ROW + ROW;
  const legend = (Object.keys(COLOURS) as Part[]).map((part, at) => {
    const x = WIDTH - 5 * 90 + at * 90;
    return `<rect x="${x}" y="2" width="10" height="10" fill="${COLOURS[part]}"/><text x="${x + 14}" y="11">${part}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="${TEXT}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="2" y="11">${escaped(title)}</text>`,
    ...legend,
    `<g transform="translate(0 ${height - ROW})">`,
    ...boxes,
    "</g></svg>\n",
  ].join("\n");
}

function box({ name, part, total }: Frame, x: number, depth: number, all: number): string {
  const [left, width] = [(x / all) * WIDTH, (total / all) * WIDTH];
  const fits = Math.floor((width - 4) / CHARACTER);
  const label = name.length <= fits ? name : name.slice(0, Math.max(0, fits - 1));
  const place = `x="${left.toFixed(1)}" y="${-depth * ROW}"`;
  const share = `${((total / all) * 100).toFixed(1)} %`;
  const text = fits < 4 ? "" : `<text x="${(left + 2).toFixed(1)}" y="${-depth * ROW + 12}">${escaped(label)}</text>`;
  return `<g><title>${escaped(name)}: ${share}</title><rect ${place} width="${Math.max(0.3, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[part]}"/>${text}</g>`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
