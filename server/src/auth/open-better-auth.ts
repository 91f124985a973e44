import type { AuthLibrary, LibraryParts } from "./better-auth.ts";

/** The sign-in library with its tables migrated. */
export type OpenAuthLibrary = () => Promise<AuthLibrary>;

/**
 * Loads the library once, at its first use: it is a third of all modules, and no event needs it. If loading fails because
 * the database is unavailable, the next call retries.
 */
export function openAuthLibrary(parts: LibraryParts): OpenAuthLibrary {
  let opened: Promise<AuthLibrary> | undefined;
  return () => {
    opened ??= load(parts).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

async function load(parts: LibraryParts): Promise<AuthLibrary> {
  const { createAuthLibrary, migrateAuth } = await import("./better-auth.ts");
  const library = createAuthLibrary(parts);
  await migrateAuth(library, parts.db);
  return library;
}
