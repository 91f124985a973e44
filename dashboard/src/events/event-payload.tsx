import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { CodeBlock, Json, prettyJson } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy.tsx";
import { Section } from "../ui/page.tsx";

/** An event as it is delivered; readable, or on one line as its bytes are. */
export function Payload({ text }: { text: string }) {
  const [asIs, setAsIs] = useState(false);
  const end = (
    <span className="flex gap-1">
      <Button look="quiet" size="sm" aria-pressed={asIs} onClick={() => setAsIs(!asIs)}>
        {asIs ? "Readable" : "On one line"}
      </Button>
      <CopyButton text={text} label="Copy the payload" />
    </span>
  );
  return (
    <Section title="Payload" end={end}>
      <CodeBlock label="Payload" className="max-h-[480px]">
        {asIs ? text : <Json text={prettyJson(text) ?? text} />}
      </CodeBlock>
    </Section>
  );
}
