import { Pencil, Plus, X } from "lucide-react";
import { type FormEvent, Fragment, useId, useState } from "react";
import type { Video } from "../api/types.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { Fact, Facts, Section } from "../ui/page.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { useVideoChange } from "./rename-video.tsx";

/** The user's own keys and values. The API replaces all of them at once, so they are edited in one form. */
export function Metadata({ video }: { video: Video }) {
  const [editing, setEditing] = useState(0);
  const [open, setOpen] = useState(false);
  const pairs = Object.entries(video.metadata);
  const edit = () => {
    setEditing(editing + 1); // mounts a new form
    setOpen(true);
  };
  return (
    <Section title="Metadata" end={<IconButton icon={Pencil} label="Edit metadata" onClick={edit} />}>
      {pairs.length === 0 ? (
        <p className="text-text-2">
          No metadata. Keys and values that you add are included in all new events for this video.
        </p>
      ) : (
        <Facts>
          {pairs.map(([key, value]) => (
            <Fact key={key} name={key}>
              {value}
            </Fact>
          ))}
        </Facts>
      )}
      <MetadataForm key={editing} video={video} open={open} onClose={() => setOpen(false)} />
    </Section>
  );
}

interface Pair {
  row: number;
  key: string;
  value: string;
}

const KEYS_MAX = 50;

function MetadataForm({ video, open, onClose }: { video: Video; open: boolean; onClose: () => void }) {
  const form = useId();
  const change = useVideoChange(video.id, onClose);
  const [pairs, setPairs] = useState<Pair[]>(() => {
    const kept = Object.entries(video.metadata).map(([key, value], row) => ({ row, key, value }));
    return kept.length > 0 ? kept : [{ row: 0, key: "", value: "" }];
  });
  const set = (row: number, next: Partial<Pair>) =>
    setPairs(pairs.map((pair) => (pair.row === row ? { ...pair, ...next } : pair)));
  const filled = pairs.filter(({ key }) => key.trim() !== "");
  const duplicate = filled.find(({ key }, at) => filled.findIndex((other) => other.key.trim() === key.trim()) < at);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (duplicate) return;
    change.mutate({ metadata: Object.fromEntries(filled.map(({ key, value }) => [key.trim(), value])) });
  };
  const add = () => setPairs([...pairs, { row: Math.max(-1, ...pairs.map(({ row }) => row)) + 1, key: "", value: "" }]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      wide
      title="Metadata"
      description="Your own keys and values, such as an ID in your system. The API returns them, and all new events include them."
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="ink" busy={change.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="flex flex-col gap-3">
        <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto] items-center gap-2">
          {pairs.map(({ row, key, value }, at) => (
            <Fragment key={row}>
              <TextField
                label={`Key ${at + 1}`}
                hideLabel
                placeholder="Key"
                maxLength={40}
                value={key}
                onChange={({ target }) => set(row, { key: target.value })}
              />
              <TextField
                label={`Value ${at + 1}`}
                hideLabel
                placeholder="Value"
                maxLength={500}
                value={value}
                onChange={({ target }) => set(row, { value: target.value })}
              />
              <IconButton
                icon={X}
                size="md"
                label={`Remove ${key || `pair ${at + 1}`}`}
                onClick={() => setPairs(pairs.filter((pair) => pair.row !== row))}
              />
            </Fragment>
          ))}
        </div>
        <div>
          <Button icon={Plus} size="sm" disabled={pairs.length >= KEYS_MAX} onClick={add}>
            Add
          </Button>
        </div>
        {duplicate && (
          <p role="alert" className="text-bad">
            The key “{duplicate.key.trim()}” is used twice.
          </p>
        )}
        <ErrorLine error={change.error} />
      </form>
    </Dialog>
  );
}
