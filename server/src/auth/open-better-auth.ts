import type { AuthLibrary, LibraryParts } from "./better-auth.ts";

/** Returns the sign-in library once its tables have been migrated. */
export type OpenAuthLibrary = () => Promise<AuthLibrary>;

/**
 * Loads the library on first use, because it accounts for a third of all modules and is not needed to handle events. If
 * loading fails, for example because the database is unavailable, the next call tries again.
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
