/** An example receiver to copy, in four languages. The code comes from the tested files in examples/receivers. */
import { useState } from "react";
import express from "../../../examples/receivers/express.mjs?raw";
import go from "../../../examples/receivers/go/receiver.go?raw";
import php from "../../../examples/receivers/receiver.php?raw";
import python from "../../../examples/receivers/receiver.py?raw";
import { CodeBlock } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy.tsx";
import { Choices } from "../ui/tabs.tsx";

const LANGUAGES = [
  { name: "Node", source: express },
  { name: "Python", source: python },
  { name: "Go", source: go },
  { name: "PHP", source: php },
] as const;

export default function ReceiverExamples() {
  const [name, setName] = useState<string>("Node");
  const { source } = LANGUAGES.find((language) => language.name === name) ?? LANGUAGES[0];
  return (
    <div className="min-w-0">
      <div className="mb-2 flex items-center justify-between gap-2">
        <Choices
          label="Language"
          options={LANGUAGES.map((language) => language.name)}
          chosen={name}
          onChoose={setName}
        />
        <CopyButton text={source} label={`Copy ${name} receiver`} />
      </div>
      <CodeBlock label={`${name} receiver`}>{source.trimEnd()}</CodeBlock>
    </div>
  );
}
