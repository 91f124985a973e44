import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import { webhooksQuery } from "../api/queries.ts";
import type { Video } from "../api/types.ts";
import { plural } from "../format.ts";
import { Confirm } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { titleOf, webhooksFor } from "./video-queries.ts";

interface Props {
  video: Video;
  open: boolean;
  onClose: () => void;
}

export function DeleteVideo({ video, open, onClose }: Props) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: webhooks } = useQuery({ ...webhooksQuery, enabled: open });
  const remove = useMutation({
    mutationFn: () => api.delete(`/v1/videos/${video.id}`),
    onSuccess: async () => {
      await navigate({ to: "/videos" });
      queries.removeQueries({ queryKey: ["video", "one", video.id] });
      void queries.invalidateQueries({ queryKey: ["video", "list"] });
      void queries.invalidateQueries({ queryKey: ["overview"] });
      toast(`“${titleOf(video)}” deleted`);
    },
  });
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Delete “${titleOf(video)}”?`}
      verb="Delete"
      loss
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
    >
      Embeds stop playing immediately. {eventNotice(webhooks && webhooksFor(webhooks.data, "video.deleted"))} This
      cannot be undone.
    </Confirm>
  );
}

function eventNotice(count: number | undefined): string {
  if (count === undefined) return "Webhooks that are subscribed to video.deleted are notified.";
  if (count === 0) return "No webhook is subscribed to video.deleted.";
  return `video.deleted is sent to ${plural(count, "webhook")}.`;
}
