import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { ApiKey } from "../api/types.ts";
import { useIsNarrow } from "../shell/pane.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { PageHead } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { apiKeysQuery, maskedKey } from "./account-queries.ts";
import { NewApiKey } from "./new-api-key.tsx";

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
            New API key
          </Button>
        }
      >
        A program shows its key with each request to this server. Keys are kept hashed, so none can be read here again.
      </PageHead>
      {keys.data ? (
        keys.data.data.length === 0 ? (
          <NoKeys onCreate={create} />
        ) : (
          <Keys keys={keys.data.data} onDelete={setDeleting} />
        )
      ) : keys.error ? (
        <ErrorState error={keys.error} retry={() => void keys.refetch()} />
      ) : (
        <SkeletonRows rows={4} />
      )}
      {creating > 0 && <NewApiKey key={creating} />}
      <DeleteKey apiKey={deleting} onClose={() => setDeleting(null)} />
    </>
  );
}

function NoKeys({ onCreate }: { onCreate: () => void }) {
  return (
    <Empty title="No API keys yet" action={<Button onClick={onCreate}>Create the first</Button>}>
      <p>Create one for each program, so that one can be deleted without stopping the others. On the server:</p>
      <div className="mt-3 max-w-160">
        <CopyField text="npm run -s mave -- admin key create --name ci --scope write" label="Copy the command" />
      </div>
    </Empty>
  );
}

const scopes = { read: "May read", write: "May read and change" };

function Keys({ keys, onDelete }: { keys: readonly ApiKey[]; onDelete: (key: ApiKey) => void }) {
  return useIsNarrow() ? <PhoneList keys={keys} onDelete={onDelete} /> : <Table keys={keys} onDelete={onDelete} />;
}

const head = "h-9 px-3 text-left text-meta font-normal text-text-3";

function Table({ keys, onDelete }: { keys: readonly ApiKey[]; onDelete: (key: ApiKey) => void }) {
  return (
    <table className="w-full table-fixed border-collapse border-t border-line">
      <caption className="sr-only">API keys</caption>
      <thead>
        <tr className="border-b border-line">
          <th scope="col" className={`${head} pl-8!`}>
            Name
          </th>
          <th scope="col" className={`${head} w-44`}>
            Key
          </th>
          <th scope="col" className={`${head} w-44`}>
            Scope
          </th>
          <th scope="col" className={`${head} w-36 text-right!`}>
            Last used
          </th>
          <th scope="col" className={`${head} hidden w-36 text-right! wide:table-cell`}>
            Created
          </th>
          <th scope="col" className={`${head} w-20 pr-8!`}>
            <span className="sr-only">Delete</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.id} className="h-11 border-b border-line">
            <td className="truncate px-3 pl-8 font-medium" title={key.name}>
              {key.name}
            </td>
            <td className="px-3 font-mono text-code text-text-2">{maskedKey(key.hint)}</td>
            <td className="px-3 text-text-2">{scopes[key.scope]}</td>
            <td className="px-3 text-right text-text-2">
              <LastUsed at={key.last_used} />
            </td>
            <td className="hidden px-3 text-right text-text-2 wide:table-cell">
              <Ago at={key.created} />
            </td>
            <td className="px-3 pr-6 text-right">
              <IconButton icon={Trash2} label={`Delete ${key.name}`} onClick={() => onDelete(key)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const LastUsed = ({ at }: { at: number | null }) => (at === null ? "Never" : <Ago at={at} />);

function PhoneList({ keys, onDelete }: { keys: readonly ApiKey[]; onDelete: (key: ApiKey) => void }) {
  return (
    <ul aria-label="API keys" className="border-t border-line">
      {keys.map((key) => (
        <li key={key.id} className="gutter flex items-center gap-3 border-b border-line py-2.5">
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium">{key.name}</span>
            <span className="block font-mono text-code text-text-2">{maskedKey(key.hint)}</span>
            <span className="block text-text-2">
              {scopes[key.scope]} ·{" "}
              {key.last_used === null ? (
                "never used"
              ) : (
                <>
                  used <Ago at={key.last_used} />
                </>
              )}
            </span>
          </span>
          <IconButton icon={Trash2} label={`Delete ${key.name}`} onClick={() => onDelete(key)} />
        </li>
      ))}
    </ul>
  );
}

function DeleteKey({ apiKey, onClose }: { apiKey: ApiKey | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [shown, setShown] = useState(apiKey); // the words stay while the dialog fades
  if (apiKey && apiKey !== shown) setShown(apiKey);
  const remove = useMutation({
    mutationFn: ({ id }: ApiKey) => api.delete(`/v1/api-keys/${id}`),
    onSuccess: async (_, { name }) => {
      await queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey });
      onClose();
      toast(`The key ${name} was deleted.`);
    },
  });
  if (!shown) return null;
  return (
    <Confirm
      open={apiKey !== null}
      onClose={onClose}
      title={`Delete the key “${shown.name}”?`}
      verb="Delete"
      loss
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(shown)}
    >
      Whatever uses it is refused at once, with 401. {usedLast(shown.last_used)}
    </Confirm>
  );
}

function usedLast(at: number | null) {
  if (at === null) return "It has never been used.";
  return (
    <>
      It was last used <Ago at={at} />.
    </>
  );
}
