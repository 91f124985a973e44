import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ApiError, api } from "../api/client.ts";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { SignInLayout } from "./sign-in-layout.tsx";
import { useSignedIn } from "./sign-in-page.tsx";

const PASSWORD_CHARACTERS_MIN = 10;

/** Creates the owner's account on the first run, or an invited member's account. */
export function SignUpPage({ token, owner }: { token: string; owner: boolean }) {
  const enter = useSignedIn();
  const create = useMutation({
    mutationFn: (form: Record<string, unknown>) => api.post<Session>("/v1/session/owner", { token, ...form }),
    onSuccess: enter,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };
  const apiError = create.error instanceof ApiError ? create.error : undefined;
  const fields = ["name", "email", "password"] as const;
  const hasFieldError = fields.some((field) => apiError?.field(field));
  return (
    <SignInLayout
      title={owner ? "Create the owner account" : "Join this space"}
      description={
        owner
          ? "The owner can invite members, and can always regain access from the server."
          : "Choose how you will sign in."
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Name" name="name" autoComplete="name" required autoFocus error={apiError?.field("name")} />
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          required
          hint="For signing in. Mave emails only the owner, and only about failing webhooks."
          error={apiError?.field("email")}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={PASSWORD_CHARACTERS_MIN}
          maxLength={128}
          required
          hint="At least 10 characters."
          error={apiError?.field("password")}
        />
        {!hasFieldError && <ErrorLine error={create.error} />}
        <Button type="submit" look="ink" busy={create.isPending}>
          {owner ? "Create account" : "Join"}
        </Button>
      </form>
    </SignInLayout>
  );
}
