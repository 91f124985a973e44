import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { ApiKey } from "../api/types.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { PageHead } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { apiKeysQuery, maskedKey } from "./account-queries.ts";
import { CreateApiKey } from "./create-api-key.tsx";

export function ApiKeysPage() {
  const keys = useQuery(apiKeysQuery);
  const [creating, setCreating] = useState(0);
  const [deleting, setDeleting] = useState<ApiKey | null>(null);
  const create = () => setCreating(creating + 1);
  return (
    <>
      <PageHead
        title="API keys"
        actions={
          <Button look="ink" icon={Plus} onClick={create}>
            Create API key
          </Button>
        }
      >
        Programs use keys to authenticate to the API. A key is shown only once, because only its hash is stored.
      </PageHead>
      {keys.data ? (
        keys.data.data.length === 0 ? (
          <NoKeys />
        ) : (
          <Table label="API keys" columns={columns(setDeleting)} rows={keys.data.data} />
        )
      ) : keys.error ? (
        <ErrorState error={keys.error} retry={() => void keys.refetch()} />
      ) : (
        <SkeletonRows rows={4} />
      )}
      {creating > 0 && <CreateApiKey key={creating} />}
      <DeleteKey apiKey={deleting} onClose={() => setDeleting(null)} />
    </>
  );
}

function NoKeys() {
  return (
    <Empty title="No API keys yet">
      <p>
        Create a separate key for each program, so that you can delete one without affecting the others. To create a key
        on the server:
      </p>
      <div className="mt-3 max-w-160">
        <CopyField text="npm run -s mave -- admin key create --name ci --scope write" label="Copy command" />
      </div>
    </Empty>
  );
}

const scopes = { read: "Read-only", write: "Read and write" };

const columns = (onDelete: (key: ApiKey) => void): Column<ApiKey>[] => [
  {
    name: "Name",
    width: "minmax(0,1fr)",
    narrow: "title",
    className: "font-medium",
    cell: ({ name }) => <span title={name}>{name}</span>,
  },
  {
    name: "Key",
    width: "152px",
    narrow: "detail",
    className: "font-mono text-code text-text-2",
    cell: ({ hint }) => maskedKey(hint),
  },
  { name: "Scope", width: "120px", className: "text-text-2", cell: ({ scope }) => scopes[scope] },
  {
    name: "Last used",
    width: "120px",
    align: "end",
    narrow: "below",
    className: "text-text-2 narrow:text-left",
    cell: (key) => <LastUsed apiKey={key} />,
  },
  {
    name: "Created by",
    width: "176px",
    from: "wide",
    className: "text-text-2",
    cell: ({ created_by }) => <span title={created_by ?? undefined}>{created_by ?? "–"}</span>,
  },
  {
    name: "Created",
    width: "120px",
    align: "end",
    from: "wide",
    className: "text-text-2",
    cell: ({ created }) => <Ago at={created} />,
  },
  {
    name: "Delete",
    hideName: true,
    width: "32px",
    align: "end",
    narrow: "actions",
    cell: (key) => <IconButton icon={Trash2} label={`Delete ${key.name}`} onClick={() => onDelete(key)} />,
  },
];

function LastUsed({ apiKey: { scope, last_used: at } }: { apiKey: ApiKey }) {
  return (
    <>
      <span className="mid:hidden">
        {scopes[scope]} · {at !== null && "last used "}
      </span>
      {at === null ? "Never used" : <Ago at={at} />}
    </>
  );
}

function DeleteKey({ apiKey, onClose }: { apiKey: ApiKey | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [shown, setShown] = useState(apiKey); // keeps the text visible while the dialog fades out
  if (apiKey && apiKey !== shown) setShown(apiKey);
  const remove = useMutation({
    mutationFn: ({ id }: ApiKey) => api.delete(`/v1/api-keys/${id}`),
    onSuccess: async (_, { name }) => {
      await queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey });
      onClose();
      toast(`API key “${name}” deleted`);
    },
  });
  if (!shown) return null;
  return (
    <Confirm
      open={apiKey !== null}
      onClose={onClose}
      title={`Delete API key “${shown.name}”?`}
      verb="Delete"
      loss
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(shown)}
    >
      Requests with this key will immediately start failing with 401.{" "}
      {shown.last_used === null ? (
        "It has never been used."
      ) : (
        <>
          It was last used <Ago at={shown.last_used} />.
        </>
      )}
    </Confirm>
  );
}
