import { Link } from "@tanstack/react-router";
import { Check, FileUp, Pause, Play, RotateCw, X } from "lucide-react";
import { nowMs } from "../clock.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { toast } from "../ui/toast.ts";
import { Bar, type BarTone } from "./bar.tsx";
import { usePicker } from "./file-picker.tsx";
import { add, cancel, pause, reopen, resume } from "./upload-queue.ts";
import type { Phase, Upload } from "./upload-state.ts";
import { detail } from "./upload-text.ts";

const words: Partial<Record<Phase["name"], string>> = {
  retrying: "text-warn",
  interrupted: "text-warn",
  failed: "text-bad",
  received: "text-ok",
};
const bars: Partial<Record<Phase["name"], BarTone>> = { sending: "accent", retrying: "warn", failed: "bad" };

export function PanelRow({ upload }: { upload: Upload }) {
  const { phase, name, size, sent, video } = upload;
  const share = size === 0 ? 0 : sent / size;
  return (
    <li className="px-4 py-2">
      <div className="flex min-h-7 items-center gap-1">
        {video === null ? (
          <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
        ) : (
          <Link
            to="/videos/$id"
            params={{ id: video }}
            className="min-w-0 flex-1 truncate rounded-tag font-medium hover:underline"
          >
            {name}
          </Link>
        )}
        <Actions upload={upload} />
      </div>
      {phase.name !== "received" && (
        <div role="progressbar" aria-label={name} aria-valuenow={Math.floor(100 * share)} className="py-1">
          <Bar share={share} tone={bars[phase.name] ?? "quiet"} />
        </div>
      )}
      <p className={classes("text-meta numbers", words[phase.name] ?? "text-text-2")}>{detail(upload, nowMs())}</p>
    </li>
  );
}

function Actions({ upload }: { upload: Upload }) {
  const { id, phase, name } = upload;
  const stop = <IconButton icon={X} label={`Cancel ${name}`} onClick={() => void cancelWithReceipt(upload)} />;
  switch (phase.name) {
    case "queued":
    case "sending":
      return (
        <>
          <IconButton icon={Pause} label={`Pause ${name}`} onClick={() => pause(id)} />
          {stop}
        </>
      );
    case "paused":
      return (
        <>
          <IconButton icon={Play} label={`Resume ${name}`} onClick={() => resume(id)} />
          {stop}
        </>
      );
    case "retrying":
    case "failed":
      return (
        <>
          <IconButton icon={RotateCw} label={`Try ${name} again now`} onClick={() => resume(id)} />
          {stop}
        </>
      );
    case "interrupted":
      return (
        <>
          <Reopen upload={upload} kept={phase.kept} />
          {stop}
        </>
      );
    case "received":
      return <Check size={16} className="mr-1.5 text-mark-ok" aria-hidden />;
  }
}

/** The browser has to be given the file again: by its handle with one click, else by choosing it. */
function Reopen({ upload, kept }: { upload: Upload; kept: boolean }) {
  const { input, pick } = usePicker({
    multiple: false,
    onGiven: ([given]) => {
      if (
        given?.file.name !== upload.name ||
        given.file.size !== upload.size ||
        given.file.lastModified !== upload.modified
      )
        return void toast(`That is another file, or it was changed. ${upload.name} of before is needed.`);
      add([given], upload.video);
    },
  });
  const onClick = async () => {
    if (!kept || !(await reopen(upload.id))) await pick();
  };
  return (
    <>
      {input}
      <Button look="line" size="sm" icon={kept ? Play : FileUp} onClick={() => void onClick()}>
        {kept ? "Resume" : "Choose file"}
      </Button>
    </>
  );
}

async function cancelWithReceipt({ id, name, made, phase }: Upload): Promise<void> {
  try {
    await cancel(id);
    if (phase.name !== "failed")
      toast(made ? `${name} and its video were removed.` : `The upload of ${name} was canceled.`);
  } catch (error) {
    toast.error(
      `${name} is no longer uploaded, but its part stays on the server for a day. ${(error as Error).message}`,
    );
  }
}
