import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { ApiError, api } from "../api/client.ts";
import { videoQuery } from "../api/queries.ts";
import type { Video } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";

interface Props {
  video: Video;
  open: boolean;
  onClose: () => void;
}

export function useVideoChange(id: string, onDone: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: { name?: string | null; metadata?: Record<string, string> }) =>
      api.patch<Video>(`/v1/videos/${id}`, change),
    onSuccess: (changed) => {
      queries.setQueryData(videoQuery(id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ["video", "list"] });
      onDone();
    },
  });
}

export function RenameVideo({ video, open, onClose }: Props) {
  const form = useId();
  const rename = useVideoChange(video.id, onClose);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    rename.mutate({ name: name || null });
  };
  const nameError = rename.error instanceof ApiError ? rename.error.field("name") : undefined;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Rename video"
      description="The ID and embed stay the same."
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="ink" busy={rename.isPending}>
            Rename
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="flex flex-col gap-3">
        <TextField
          label="Name"
          name="name"
          defaultValue={video.name ?? ""}
          maxLength={200}
          autoComplete="off"
          error={nameError}
        />
        {!nameError && <ErrorLine error={rename.error} />}
      </form>
    </Dialog>
  );
}
