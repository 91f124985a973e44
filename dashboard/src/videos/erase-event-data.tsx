import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Erasure } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { storyQuery } from "./video-queries.ts";

/** For a deleted video: removes what its events said, or says when that was done. Nothing where it has no events. */
export function EraseVideo({ id }: { id: string }) {
  const queries = useQueryClient();
  const { data } = useQuery(storyQuery(id));
  const [asking, setAsking] = useState(false);
  const erase = useMutation({
    mutationFn: () => eraseAll(id),
    onSuccess: () => {
      setAsking(false);
      for (const kind of ["video", "event", "delivery"]) void queries.invalidateQueries({ queryKey: [kind] });
      toast("What its events said was erased.");
    },
  });
  const newest = data?.events[0];
  if (newest === undefined) return null;
  if (newest.erased !== undefined)
    return (
      <p className="mt-3">
        What its events said was erased <Ago at={newest.erased} />.
      </p>
    );
  return (
    <div className="mt-4">
      <Button onClick={() => setAsking(true)}>Erase what its events said</Button>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Erase what its events said?"
        verb="Erase"
        loss
        busy={erase.isPending}
        error={erase.error}
        onConfirm={() => erase.mutate()}
      >
        The payloads of its events, headers and bodies of their attempts, its name and its metadata are removed. That
        each event was delivered, when and how, is kept. This cannot be undone.
      </Confirm>
    </div>
  );
}

/** One request erases a part where there is very much of it. */
async function eraseAll(id: string): Promise<void> {
  for (let more = true; more; ) more = (await api.post<Erasure>(`/v1/videos/${id}/erasures`)).has_more;
}
