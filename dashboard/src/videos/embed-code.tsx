import { Check, Copy } from "lucide-react";
import type { Video } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { CopyField, useCopy } from "../ui/copy.tsx";
import { Section } from "../ui/page.tsx";
import { embedCode } from "./video-queries.ts";

export function EmbedCode({ video }: { video: Video }) {
  const code = embedCode(video);
  const { copied, copy } = useCopy(code);
  return (
    <Section
      title="Embed"
      end={
        <Button
          icon={copied ? Check : Copy}
          look={video.playback_url === null ? "line" : "ink"}
          onClick={() => void copy()}
        >
          {copied ? "Copied" : "Copy embed code"}
        </Button>
      }
    >
      <pre className="rounded-panel bg-sunken px-4 py-3 font-mono text-code whitespace-pre-wrap text-text shadow-[inset_0_0_0_1px_var(--line)]">
        <code>{code}</code>
      </pre>
      <div className="mt-3">
        <CopyField text={video.embed_url} label="Copy URL" />
      </div>
    </Section>
  );
}
