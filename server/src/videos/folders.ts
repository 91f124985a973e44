import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** Where files are while they are not media yet. All on one disk, so that a file moves on by a rename. */
export interface Folders {
  /** Parts of files, named by their upload's id. */
  incoming: string;
  /** Files received whole, named by their upload's id. */
  originals: string;
  /** One folder for each attempt at processing. */
  work: string;
  /** Finished media: the local blobs. */
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
