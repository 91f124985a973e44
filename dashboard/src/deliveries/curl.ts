import type { Attempt } from "../api/types.ts";

/** Formats an attempt as a curl command that sends the same bytes. Hidden header values stay hidden. */
export function asCurl({ url, request }: Attempt): string {
  const headers = Object.entries(request.headers)
    .filter(([name]) => !["host", "content-length", "connection"].includes(name.toLowerCase()))
    .map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)}`);
  return [`curl -X POST ${quoted(url)}`, ...headers, `  --data-binary ${quoted(request.body)}`].join(" \\\n");
}

/** Quotes text as a single word for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
