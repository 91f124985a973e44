/** What was sent and what came back, byte for byte or made readable. Everything is text: nothing a receiver answers can run. */

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import type { Answer, Attempt } from "../api/types.ts";
import { bytes, number } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { CodeBlock, Json, prettyJson } from "../ui/code.tsx";
import { useCopy } from "../ui/copy.tsx";
import { phraseOf } from "./attempt-text.ts";
import { asCurl } from "./curl.ts";

const SIDES = ["Answer", "Request"] as const;

export function ExchangeView({ attempt }: { attempt: Attempt }) {
  const [side, setSide] = useState<(typeof SIDES)[number]>("Answer");
  const { copied, copy } = useCopy(asCurl(attempt));
  return (
    <section aria-label="Request and response" className="gutter py-5">
      <div className="flex flex-wrap items-end justify-between gap-2 border-b border-line">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset brings a border and a legend for two buttons */}
        <div role="group" aria-label="Show" className="flex gap-5">
          {SIDES.map((word) => (
            <button
              key={word}
              type="button"
              aria-pressed={side === word}
              onClick={() => setSide(word)}
              className={classes(
                "-mb-px h-9 border-b-2 font-medium touch:h-11",
                side === word ? "border-text text-text" : "border-transparent text-text-2 hover:text-text",
              )}
            >
              {word}
            </button>
          ))}
        </div>
        <Button look="quiet" size="sm" icon={copied ? Check : Copy} className="mb-1" onClick={copy}>
          Copy as curl
        </Button>
      </div>
      {side === "Request" ? <RequestView attempt={attempt} /> : <ResponseView attempt={attempt} />}
    </section>
  );
}

function RequestView({ attempt: { request } }: { attempt: Attempt }) {
  return (
    <div className="mt-4 flex flex-col gap-3">
      <Headers label="Request headers" headers={Object.entries(request.headers)} />
      <Body label="Request body" text={request.body} raw="Signed bytes" />
    </div>
  );
}

function ResponseView({ attempt: { status, response, error, note } }: { attempt: Attempt }) {
  if (response === null) {
    return (
      <div className="mt-4">
        <p className="text-read">{error?.message ?? "There was no response."}</p>
        {error?.code && <p className="mt-1 font-mono text-code text-text-2">{error.code}</p>}
      </div>
    );
  }
  const good = status !== null && status >= 200 && status < 300;
  return (
    <div className="mt-4 flex flex-col gap-3">
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
      <Headers label="Answer headers" headers={response.headers} />
      <ResponseBody response={response} />
    </div>
  );
}

function ResponseBody({ response }: { response: Answer }) {
  if (response.body === "") return <p className="text-text-2">No body.</p>;
  return (
    <>
      {response.encoding === "base64" && <p className="text-text-2">The body is not text; it is shown in base64.</p>}
      <Body label="Answer body" text={response.body} raw="As received" />
      {response.cut && (
        <p className="text-text-2">Cut here: {number(response.bytes)} bytes were read, the first 16 KiB are kept.</p>
      )}
    </>
  );
}

function Headers({ label, headers }: { label: string; headers: string[][] }) {
  if (headers.length === 0) return <p className="text-text-2">No headers.</p>;
  return (
    <CodeBlock label={label}>
      <span className="grid w-fit grid-cols-[minmax(96px,max-content)_max-content] gap-x-5">
        {headers.map(([name, value], at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: headers may repeat, and never change
          <span key={at} className="contents">
            <span className="text-text-2">{name}</span>
            <span>{value}</span>
          </span>
        ))}
      </span>
    </CodeBlock>
  );
}

function Body({ label, text, raw }: { label: string; text: string; raw: string }) {
  const [asIs, setAsIs] = useState(false);
  const pretty = prettyJson(text);
  const { copied, copy } = useCopy(text);
  return (
    <div className="relative">
      <CodeBlock label={label} className="pt-6">
        {asIs || pretty === undefined ? text : <Json text={pretty} />}
      </CodeBlock>
      <span className="absolute top-1 right-1 left-3 flex items-center justify-end gap-1">
        {pretty !== undefined && (
          <Button look="quiet" size="sm" aria-pressed={asIs} onClick={() => setAsIs(!asIs)}>
            {asIs ? "Readable" : raw}
          </Button>
        )}
        <Button look="quiet" size="sm" icon={copied ? Check : Copy} onClick={copy}>
          Copy
        </Button>
      </span>
    </div>
  );
}
