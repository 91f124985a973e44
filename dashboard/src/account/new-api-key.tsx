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

/** Asks for name and scope, then shows the key this once. Mount it anew for each key: closed, it forgets the key. */
export function NewApiKey() {
  const queries = useQueryClient();
  const [open, setOpen] = useState(true);
  const create = useMutation({
    mutationFn: (key: { name: string; scope: string }) => api.post<ApiKey & { key: string }>("/v1/api-keys", key),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey }),
    gcTime: 0, // the key leaves the memory with the dialog
  });
  const close = () => {
    setOpen(false);
    create.reset();
  };
  return create.data ? (
    <Made name={create.data.name} secret={create.data.key} open={open} onClose={close} />
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
  const refused = error instanceof ApiError ? error.field("name") : undefined;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    onSubmit({ name: String(fields.get("name")).trim(), scope: String(fields.get("scope")) });
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New API key"
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
          hint="Which program it is for."
          error={refused}
        />
        <fieldset>
          <legend className="mb-1 font-medium">Scope</legend>
          <Checkbox
            type="radio"
            name="scope"
            value="write"
            defaultChecked
            label="Read and change"
            hint="Videos, webhooks, deliveries, other keys: everything but people."
          />
          <Checkbox type="radio" name="scope" value="read" label="Read" hint="Changes nothing and sees no secret." />
        </fieldset>
        {!refused && <ErrorLine error={error} />}
      </form>
    </Dialog>
  );
}

function Made({ name, secret, open, onClose }: { name: string; secret: string; open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`The key ${name}`}
      description="Copy it now. It is not shown again."
      actions={
        <Button look="ink" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <CopyField text={secret} label="Copy the key" />
        <div>
          <p className="mb-1.5 text-text-2">Try it:</p>
          <CopyField
            text={`curl -H "Authorization: Bearer ${secret}" ${location.origin}/v1/videos`}
            label="Copy the command"
          />
        </div>
      </div>
    </Dialog>
  );
}
