import { Link } from "@tanstack/react-router";
import { Check, FileUp, Pause, Play, RotateCw, X } from "lucide-react";
import { nowMs } from "../clock.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Progress, type ProgressTone } from "../ui/progress.tsx";
import { toast } from "../ui/toast.ts";
import { useFilePicker } from "./file-picker.tsx";
import { add, cancel, pause, reopen, resume } from "./upload-queue.ts";
import type { Phase, Upload } from "./upload-state.ts";
import { detail } from "./upload-text.ts";

const textColors: Partial<Record<Phase["name"], string>> = {
  retrying: "text-warn",
  interrupted: "text-warn",
  failed: "text-bad",
  received: "text-ok",
};
const tones: Partial<Record<Phase["name"], ProgressTone>> = { sending: "accent", retrying: "warn", failed: "bad" };

export function UploadRow({ upload }: { upload: Upload }) {
  const { phase, name, size, sent, video } = upload;
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
        <Progress label={name} done={sent} total={size} tone={tones[phase.name] ?? "quiet"} className="my-1" />
      )}
      <p className={classes("text-meta numbers", textColors[phase.name] ?? "text-text-2")}>{detail(upload, nowMs())}</p>
    </li>
  );
}

function Actions({ upload }: { upload: Upload }) {
  const { id, phase, name } = upload;
  const stop = <IconButton icon={X} label={`Cancel ${name}`} onClick={() => void cancelWithToast(upload)} />;
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
          <IconButton icon={RotateCw} label={`Retry ${name} now`} onClick={() => resume(id)} />
          {stop}
        </>
      );
    case "interrupted":
      return (
        <>
          <Reopen upload={upload} hasHandle={phase.hasHandle} />
          {stop}
        </>
      );
    case "received":
      return <Check size={16} className="mr-1.5 text-mark-ok" aria-hidden />;
  }
}

/** Reopens an interrupted upload's file, with one click if there is a handle, or else through the file dialog. */
function Reopen({ upload, hasHandle }: { upload: Upload; hasHandle: boolean }) {
  const { input, pick } = useFilePicker({
    multiple: false,
    onPick: ([picked]) => {
      const { name, size, modified } = upload;
      if (picked?.file.name === name && picked.file.size === size && picked.file.lastModified === modified)
        add([picked], upload.video);
      else toast(`This file does not match the interrupted upload. Choose the original ${name}.`);
    },
  });
  const onClick = async () => {
    if (!hasHandle || !(await reopen(upload.id))) await pick();
  };
  return (
    <>
      {input}
      <Button look="line" size="sm" icon={hasHandle ? Play : FileUp} onClick={() => void onClick()}>
        {hasHandle ? "Resume" : "Choose file"}
      </Button>
    </>
  );
}

async function cancelWithToast({ id, name, createdVideo, phase }: Upload): Promise<void> {
  try {
    await cancel(id);
    if (phase.name !== "failed")
      toast(createdVideo ? `Upload canceled and video deleted: ${name}` : `Upload canceled: ${name}`);
  } catch (error) {
    toast.error(`Canceled ${name}, but its data on the server could not be deleted. ${(error as Error).message}`);
  }
}
