import type { Attempt } from "../api/types.ts";

/** One word for a POSIX shell, whatever it holds. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The attempt as a command that sends the same bytes. A header whose value is hidden stays hidden. */
export function asCurl({ url, request }: Attempt): string {
  const headers = Object.entries(request.headers)
    .filter(([name]) => !["host", "content-length", "connection"].includes(name.toLowerCase()))
    .map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)}`);
  return [`curl -X POST ${quoted(url)}`, ...headers, `  --data-binary ${quoted(request.body)}`].join(" \\\n");
}
