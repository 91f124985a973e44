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
  { label: "1 hour", seconds: 3_600 },
  { label: "1 day", seconds: DAY },
  { label: "3 days", seconds: 3 * DAY },
  { label: "7 days", seconds: 7 * DAY },
  { label: "Revoke immediately", seconds: 0 },
];

/**
 * Creates a new secret. By default, both secrets stay valid for a day, so that receivers can switch without rejecting
 * deliveries.
 */
export function RotateDialog({ webhook, open, onClose }: { webhook: Webhook; open: boolean; onClose: () => void }) {
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
  const overlapText = useAging((now) => `Both secrets work until ${moment(now + overlap, now)}.`);
  if (rotate.data) return <Rotated open={open} webhook={rotate.data} onClose={close} />;
  return (
    <Dialog
      open={open}
      onClose={close}
      title="Rotate secret?"
      description={
        overlap === 0
          ? "Receivers that still use the old secret will reject every delivery."
          : `${overlapText} Each delivery is signed with both.`
      }
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="ink" busy={rotate.isPending} onClick={() => rotate.mutate()}>
            Rotate secret
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Select
          label="Old secret expires after"
          value={overlap}
          onChange={(event) => setOverlap(Number(event.target.value))}
        >
          {OVERLAPS.map(({ label, seconds }) => (
            <option key={seconds} value={seconds}>
              {label}
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
      title="New secret"
      description={
        until === null ? "The old secret no longer works." : `Both secrets work until ${moment(until, nowSeconds())}.`
      }
      actions={
        <Button look="ink" onClick={onClose}>
          Done
        </Button>
      }
    >
      <CopyField text={webhook.secret ?? ""} label="Copy new secret" />
    </Dialog>
  );
}
