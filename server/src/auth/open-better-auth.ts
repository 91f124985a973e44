import type { AuthLibrary, LibraryParts } from "./better-auth.ts";

/** The sign-in library, its tables up to date. */
export type OpenAuthLibrary = () => Promise<AuthLibrary>;

/**
 * The library is a third of all modules, and no event needs it: it is loaded when it is first asked for, and once. Where
 * that fails, because the database is away, the next who asks tries again.
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
