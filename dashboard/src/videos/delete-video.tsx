import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import { webhooksQuery } from "../api/queries.ts";
import type { Video } from "../api/types.ts";
import { plural } from "../format.ts";
import { Confirm } from "../ui/dialog.tsx";
import { toast } from "../ui/toast.ts";
import { hearingOf, titleOf } from "./video-queries.ts";

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
      toast(`${titleOf(video)} was deleted.`);
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
      The embed stops playing at once; {announced(webhooks && hearingOf(webhooks.data, "video.deleted"))} This cannot be
      undone.
    </Confirm>
  );
}

function announced(count: number | undefined): string {
  if (count === undefined) return "video.deleted goes to every webhook that chose it.";
  if (count === 0) return "no webhook has chosen video.deleted, so none is told.";
  return `video.deleted goes to ${plural(count, "webhook")}.`;
}
