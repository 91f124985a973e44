import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ApiError, api } from "../api/client.ts";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { Entrance } from "./sign-in-layout.tsx";
import { useEntering } from "./sign-in-page.tsx";

const PASSWORD_CHARACTERS_MIN = 10;

/** The first run's owner, or a person who was invited. */
export function NewPerson({ token, owner }: { token: string; owner: boolean }) {
  const enter = useEntering();
  const create = useMutation({
    mutationFn: (form: Record<string, unknown>) => api.post<Session>("/v1/session/owner", { token, ...form }),
    onSuccess: enter,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };
  const refused = create.error instanceof ApiError ? create.error : undefined;
  const fields = ["name", "email", "password"] as const;
  const inFields = fields.some((field) => refused?.field(field));
  return (
    <Entrance
      title={owner ? "Create the owner" : "Join this space"}
      sentence={
        owner
          ? "The first person of this server. The owner invites others and can always get in again from the server itself."
          : "You were invited. Choose how you sign in from now on."
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Name" name="name" autoComplete="name" required autoFocus error={refused?.field("name")} />
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          required
          hint="Used to sign in; no mail is sent to it."
          error={refused?.field("email")}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={PASSWORD_CHARACTERS_MIN}
          maxLength={128}
          required
          hint="At least 10 characters; a sentence is fine."
          error={refused?.field("password")}
        />
        {!inFields && <ErrorLine error={create.error} />}
        <Button type="submit" look="ink" busy={create.isPending}>
          {owner ? "Create the owner" : "Join"}
        </Button>
      </form>
    </Entrance>
  );
}
