import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** The folders of uploads and media, all on one disk, so that files move between them by rename. */
export interface Folders {
  /** Partially received files, named after their upload's id. */
  incoming: string;
  /** Completely received files, named after their upload's id. */
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
