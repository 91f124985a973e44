import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { CodeBlock, Json, prettyJson } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy.tsx";
import { Section } from "../ui/page.tsx";

/** Shows the payload as delivered, formatted or raw. */
export function EventPayload({ text }: { text: string }) {
  const [raw, setRaw] = useState(false);
  const end = (
    <span className="flex gap-1">
      <Button look="quiet" size="sm" onClick={() => setRaw(!raw)}>
        {raw ? "Show formatted" : "Show raw"}
      </Button>
      <CopyButton text={text} label="Copy payload" />
    </span>
  );
  return (
    <Section title="Payload" end={end}>
      <CodeBlock label="Payload" className="max-h-[480px]">
        {raw ? text : <Json text={prettyJson(text) ?? text} />}
      </CodeBlock>
    </Section>
  );
}
