import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Webhook } from "../api/types.ts";
import { nowSeconds, useAging } from "../clock.ts";
import { moment } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";

const DAY = 86_400;
const OVERLAPS = [
  { word: "1 hour", seconds: 3_600 },
  { word: "1 day", seconds: DAY },
  { word: "3 days", seconds: 3 * DAY },
  { word: "7 days", seconds: 7 * DAY },
  { word: "No time: the old secret ends now", seconds: 0 },
];

/** A new secret beside the old one, so that no delivery is refused while receivers change over. */
export function Rotation({ webhook, open, onClose }: { webhook: Webhook; open: boolean; onClose: () => void }) {
  const [overlap, setOverlap] = useState(DAY);
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: () => api.post<Webhook>(`/v1/webhooks/${webhook.id}/secret/rotations`, { overlap_seconds: overlap }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["webhook"] }),
  });
  const close = () => {
    onClose();
    rotate.reset();
  };
  const promise = useAging((now) => `Both secrets work until ${moment(now + overlap, now)}.`);
  if (rotate.data) return <Rotated open={open} webhook={rotate.data} onClose={close} />;
  return (
    <Dialog
      open={open}
      onClose={close}
      title="Rotate the secret?"
      description={
        overlap === 0
          ? "Receivers that still hold the old secret refuse every delivery from now on."
          : `${promise} Each delivery carries both signatures.`
      }
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="ink" busy={rotate.isPending} onClick={() => rotate.mutate()}>
            Rotate
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Select
          label="The old secret works for"
          value={overlap}
          onChange={(event) => setOverlap(Number(event.target.value))}
        >
          {OVERLAPS.map(({ word, seconds }) => (
            <option key={seconds} value={seconds}>
              {word}
            </option>
          ))}
        </Select>
        <ErrorLine error={rotate.error} />
      </div>
    </Dialog>
  );
}

function Rotated({ open, webhook, onClose }: { open: boolean; webhook: Webhook; onClose: () => void }) {
  const until = webhook.previous_secret_until;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="The new secret"
      description={
        until === null ? "The old secret has ended." : `Both secrets work until ${moment(until, nowSeconds())}.`
      }
      actions={
        <Button look="ink" onClick={onClose}>
          Done
        </Button>
      }
    >
      <CopyField text={webhook.secret ?? ""} label="Copy the new secret" />
    </Dialog>
  );
}
