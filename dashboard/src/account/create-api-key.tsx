import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ApiError, api } from "../api/client.ts";
import type { ApiKey } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { apiKeysQuery } from "./account-queries.ts";

/** Asks for a name and a scope, then shows the key. Mount a new instance for each key. */
export function CreateApiKey() {
  const queries = useQueryClient();
  const [open, setOpen] = useState(true);
  const create = useMutation({
    mutationFn: (key: { name: string; scope: string }) => api.post<ApiKey & { key: string }>("/v1/api-keys", key),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey }),
    gcTime: 0, // so that the key does not stay in the cache after the dialog closes
  });
  const close = () => {
    setOpen(false);
    create.reset();
  };
  return create.data ? (
    <CreatedKey name={create.data.name} secret={create.data.key} open={open} onClose={close} />
  ) : (
    <Form
      open={open}
      onClose={close}
      onSubmit={(key) => create.mutate(key)}
      busy={create.isPending}
      error={create.error}
    />
  );
}

interface FormProps {
  open: boolean;
  onClose: () => void;
  onSubmit: (key: { name: string; scope: string }) => void;
  busy: boolean;
  error: unknown;
}

function Form({ open, onClose, onSubmit, busy, error }: FormProps) {
  const form = useId();
  const nameError = error instanceof ApiError ? error.field("name") : undefined;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    onSubmit({ name: String(fields.get("name")).trim(), scope: String(fields.get("scope")) });
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Create API key"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="ink" busy={busy}>
            Create
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="Name"
          name="name"
          required
          maxLength={200}
          autoComplete="off"
          hint="The name of the program that will use the key."
          error={nameError}
        />
        <fieldset>
          <legend className="mb-1 font-medium">Scope</legend>
          <Checkbox
            type="radio"
            name="scope"
            value="write"
            defaultChecked
            label="Read and write"
            hint="Full access to videos, webhooks, deliveries, and API keys, but not to members."
          />
          <Checkbox
            type="radio"
            name="scope"
            value="read"
            label="Read-only"
            hint="Cannot change anything or read secrets."
          />
        </fieldset>
        {!nameError && <ErrorLine error={error} />}
      </form>
    </Dialog>
  );
}

interface CreatedKeyProps {
  name: string;
  secret: string;
  open: boolean;
  onClose: () => void;
}

function CreatedKey({ name, secret, open, onClose }: CreatedKeyProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`API key “${name}”`}
      description="Copy the key now. It is shown only once."
      actions={
        <Button look="ink" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <CopyField text={secret} label="Copy key" />
        <div>
          <p className="mb-1.5 text-text-2">Example request:</p>
          <CopyField
            text={`curl -H "Authorization: Bearer ${secret}" ${location.origin}/v1/videos`}
            label="Copy command"
          />
        </div>
      </div>
    </Dialog>
  );
}
