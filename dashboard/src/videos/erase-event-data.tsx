import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Erasure } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { eventHistoryQuery } from "./video-queries.ts";

/** Shows a button that erases a deleted video's event data, or says when it was erased. Empty without events. */
export function EraseEventData({ id }: { id: string }) {
  const queries = useQueryClient();
  const { data } = useQuery(eventHistoryQuery(id));
  const [confirming, setConfirming] = useState(false);
  const erase = useMutation({
    mutationFn: () => eraseAll(id),
    onSuccess: () => {
      setConfirming(false);
      for (const kind of ["video", "event", "delivery"]) void queries.invalidateQueries({ queryKey: [kind] });
      toast("Event data erased");
    },
  });
  const newest = data?.events[0];
  if (newest === undefined) return null;
  if (newest.erased !== undefined)
    return (
      <p className="mt-3">
        Event data erased <Ago at={newest.erased} />
      </p>
    );
  return (
    <div className="mt-4">
      <Button onClick={() => setConfirming(true)}>Erase event data</Button>
      <Confirm
        open={confirming}
        onClose={() => setConfirming(false)}
        title="Erase event data?"
        verb="Erase"
        loss
        busy={erase.isPending}
        error={erase.error}
        onConfirm={() => erase.mutate()}
      >
        This removes the video's name and metadata, the payloads of its events, and the headers and bodies of their
        delivery attempts. The record of each delivery and its result is kept. This cannot be undone.
      </Confirm>
    </div>
  );
}

/** Erases all event data. Each request erases a limited amount, so the request is repeated until nothing is left. */
async function eraseAll(id: string): Promise<void> {
  for (let more = true; more; ) more = (await api.post<Erasure>(`/v1/videos/${id}/erasures`)).has_more;
}
