/** The caller of a request: either a program with an API key or a person signed in to the dashboard. */
export type Principal = KeyPrincipal | PersonPrincipal;

export interface KeyPrincipal {
  kind: "key";
  /** The UUID of the key's space. */
  space: string;
  /** The key's UUID. */
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

/** Returns the principal's name for the audit log. */
export const actorName = (who: Principal): string => (who.kind === "key" ? `key ${who.name}` : who.email);
