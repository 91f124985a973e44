/** Who makes a request: a program with an API key, or a person who signed in to the dashboard. */
export type Principal = KeyPrincipal | PersonPrincipal;

export interface KeyPrincipal {
  kind: "key";
  /** UUID of the space it belongs to. */
  space: string;
  /** UUID of the key. */
  id: string;
  name: string;
  scope: "read" | "write";
}

export interface PersonPrincipal {
  kind: "person";
  space: string;
  id: string;
  name: string;
  email: string;
  role: "owner" | "member";
}

/** How the audit log names who did something. */
export const actorName = (who: Principal): string => (who.kind === "key" ? `key ${who.name}` : who.email);
