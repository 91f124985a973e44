/** Shows an attempt's request and response, formatted or raw. Both are shown as text, so a response cannot run code. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import type { Attempt, AttemptResponse } from "../api/types.ts";
import { bytes, number } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { CodeBlock, Json, prettyJson } from "../ui/code.tsx";
import { useCopy } from "../ui/copy.tsx";
import { asCurl } from "./curl.ts";
import { phraseOf } from "./delivery-text.ts";

const SIDES = ["Response", "Request"] as const;

export function RequestResponse({ attempt }: { attempt: Attempt }) {
  const [side, setSide] = useState<(typeof SIDES)[number]>("Response");
  const { copied, copy } = useCopy(asCurl(attempt));
  return (
    <section aria-label="Request and response" className="gutter py-5">
      <div className="flex flex-wrap items-end justify-between gap-2 border-b border-line">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would add a border and a legend */}
        <div role="group" aria-label="Show" className="flex gap-5">
          {SIDES.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={side === name}
              onClick={() => setSide(name)}
              className={classes(
                "-mb-px h-9 border-b-2 font-medium touch:h-11",
                side === name ? "border-text text-text" : "border-transparent text-text-2 hover:text-text",
              )}
            >
              {name}
            </button>
          ))}
        </div>
        <Button look="quiet" size="sm" icon={copied ? Check : Copy} className="mb-1" onClick={copy}>
          Copy as cURL
        </Button>
      </div>
      <div className="mt-4 flex flex-col gap-3">
        {side === "Request" ? <RequestView attempt={attempt} /> : <ResponseView attempt={attempt} />}
      </div>
    </section>
  );
}

function RequestView({ attempt: { request } }: { attempt: Attempt }) {
  return (
    <>
      <Headers label="Request headers" headers={Object.entries(request.headers)} />
      <Body label="Request body" text={request.body} />
    </>
  );
}

function ResponseView({ attempt: { status, response, error, note } }: { attempt: Attempt }) {
  if (response === null) {
    return (
      <div>
        <p className="text-read">{error?.message ?? "No response"}</p>
        {error?.code && <p className="mt-1 font-mono text-code text-text-2">{error.code}</p>}
      </div>
    );
  }
  const good = status !== null && status >= 200 && status < 300;
  return (
    <>
      <p className="flex flex-wrap items-center gap-2">
        <span
          className={classes(
            "rounded-tag px-2 leading-6 font-semibold numbers",
            good ? "bg-ok-tint text-ok" : "bg-bad-tint text-bad",
          )}
        >
          {status}
        </span>
        {status !== null && phraseOf(status)}
        <span className="ml-auto text-text-2 numbers">{bytes(response.bytes)}</span>
      </p>
      {note && <p className="text-text-2">{note}</p>}
      <Headers label="Response headers" headers={response.headers} />
      <ResponseBody response={response} />
    </>
  );
}

function ResponseBody({ response }: { response: AttemptResponse }) {
  if (response.body === "") return <p className="text-text-2">No body</p>;
  return (
    <>
      {response.encoding === "base64" && <p className="text-text-2">Binary body, shown as base64</p>}
      <Body label="Response body" text={response.body} />
      {response.cut && (
        <p className="text-text-2">Truncated: the first 16 KiB of {number(response.bytes)} bytes are stored.</p>
      )}
    </>
  );
}

function Headers({ label, headers }: { label: string; headers: string[][] }) {
  if (headers.length === 0) return <p className="text-text-2">No headers</p>;
  return (
    <CodeBlock label={label}>
      <span className="grid w-fit grid-cols-[minmax(96px,max-content)_max-content] gap-x-5">
        {headers.map(([name, value], at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: header names can repeat, and the list never changes
          <span key={at} className="contents">
            <span className="text-text-2">{name}</span>
            <span>{value}</span>
          </span>
        ))}
      </span>
    </CodeBlock>
  );
}

function Body({ label, text }: { label: string; text: string }) {
  const [raw, setRaw] = useState(false);
  const formatted = prettyJson(text);
  const { copied, copy } = useCopy(text);
  return (
    <div className="relative">
      <CodeBlock label={label} className="pt-6">
        {raw || formatted === undefined ? text : <Json text={formatted} />}
      </CodeBlock>
      <span className="absolute top-1 right-1 left-3 flex items-center justify-end gap-1">
        {formatted !== undefined && (
          <Button look="quiet" size="sm" onClick={() => setRaw(!raw)}>
            {raw ? "Show formatted" : "Show raw"}
          </Button>
        )}
        <Button look="quiet" size="sm" icon={copied ? Check : Copy} onClick={copy}>
          Copy
        </Button>
      </span>
    </div>
  );
}
