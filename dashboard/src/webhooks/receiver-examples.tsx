/** A receiver to copy, in four languages: the very files of examples/receivers, which the tests run. */
import { useState } from "react";
import express from "../../../examples/receivers/express.mjs?raw";
import go from "../../../examples/receivers/go/receiver.go?raw";
import php from "../../../examples/receivers/receiver.php?raw";
import python from "../../../examples/receivers/receiver.py?raw";
import { CodeBlock } from "../ui/code.tsx";
import { CopyButton } from "../ui/copy.tsx";
import { Choices } from "../ui/tabs.tsx";

const LANGUAGES = [
  { word: "Node", source: express },
  { word: "Python", source: python },
  { word: "Go", source: go },
  { word: "PHP", source: php },
] as const;

export default function ReceiverSources() {
  const [word, setWord] = useState<string>("Node");
  const { source } = LANGUAGES.find((language) => language.word === word) ?? LANGUAGES[0];
  return (
    <div className="min-w-0">
      <div className="mb-2 flex items-center justify-between gap-2">
        <Choices label="Language" words={LANGUAGES.map((language) => language.word)} chosen={word} onChoose={setWord} />
        <CopyButton text={source} label={`Copy the receiver in ${word}`} />
      </div>
      <CodeBlock label={`A receiver in ${word}`}>{source.trimEnd()}</CodeBlock>
    </div>
  );
}
