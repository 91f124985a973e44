import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useId } from "react";
import { ApiError, api } from "../api/client.ts";
import type { Video } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";

/** Creates a video without a file, so that its embed URL can be used before the upload. */
export function CreateVideo({ open, onClose }: { open: boolean; onClose: () => void }) {
  const form = useId();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: (name: string) => api.post<Video>("/v1/videos", { name: name || null }),
    onSuccess: async ({ id }) => {
      void queries.invalidateQueries({ queryKey: ["video"] });
      onClose();
      await navigate({ to: "/videos/$id", params: { id } });
    },
  });
  const nameError = create.error instanceof ApiError ? create.error.field("name") : undefined;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Create video"
      description="The ID and embed URL are available right away. Upload the file whenever you like."
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="ink" busy={create.isPending}>
            Create
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="flex flex-col gap-3">
        <TextField label="Name" name="name" maxLength={200} autoComplete="off" error={nameError} />
        {!nameError && <ErrorLine error={create.error} />}
      </form>
    </Dialog>
  );
}
