import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** The folders for uploads and media. They are all on one file system, so a file can be moved by renaming it. */
export interface Folders {
  /** Partially received files, named by upload id. */
  incoming: string;
  /** Completely received files, named by upload id. */
  originals: string;
  /** One folder per processing attempt. */
  work: string;
  /** Finished media, used by the local blob store. */
  media: string;
}

export async function openFolders(dataFolder: string): Promise<Folders> {
  const folders = {
    incoming: join(dataFolder, "incoming"),
    originals: join(dataFolder, "originals"),
    work: join(dataFolder, "work"),
    media: join(dataFolder, "media"),
  };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  return folders;
}
