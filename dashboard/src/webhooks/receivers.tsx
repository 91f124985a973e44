/** A receiver to copy, in four languages: the very files of examples/receivers, which the tests run. */
import { useState } from "react";
import express from "../../../examples/receivers/express.mjs?raw";
import go from "../../../examples/receivers/go/receiver.go?raw";
import php from "../../../examples/receivers/receiver.php?raw";
import python from "../../../examples/receivers/receiver.py?raw";
import { CopyButton } from "../ui/copy.tsx";
import { Choices } from "../ui/tabs.tsx";

const LANGUAGES = [
  { word: "Node", source: express },
  { word: "Python", source: python },
  { word: "Go", source: go },
  { word: "PHP", source: php },
] as const;

export function Receivers() {
  const [word, setWord] = useState<string>("Node");
  const { source } = LANGUAGES.find((language) => language.word === word) ?? LANGUAGES[0];
  return (
    <div className="min-w-0">
      <div className="mb-2 flex items-center justify-between gap-2">
        <Choices label="Language" words={LANGUAGES.map((language) => language.word)} chosen={word} onChoose={setWord} />
        <CopyButton text={source} label={`Copy the receiver in ${word}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it */}
      <pre
        tabIndex={0}
        role="region"
        aria-label={`A receiver in ${word}`}
        className="max-h-96 overflow-auto rounded-panel bg-sunken p-4 font-mono text-code [overflow-wrap:normal] shadow-[inset_0_0_0_1px_var(--line)]"
      >
        {source.trimEnd()}
      </pre>
    </div>
  );
}
