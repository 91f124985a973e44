/** How files come in: dropped, picked with a handle (Chromium), or picked by a plain input. */
import type { Given } from "./upload-queue.ts";

/** Endings that systems name no type for, or a wrong one. */
const VIDEO_ENDINGS = /\.(mp4|m4v|mov|mkv|webm|avi|mts|m2ts|ts|mpe?g|flv|ogv|wmv|asf|mxf|3gp|3g2|gif)$/i;

/** The server decides in the end; this keeps a slip of the hand (a PDF among ten films) from becoming a video. */
export const looksLikeVideo = ({ name, type }: Pick<File, "name" | "type">): boolean =>
  type.startsWith("video/") || VIDEO_ENDINGS.test(name);

interface Handled {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** What was dropped, folders left out. Reads the event at once, as browsers ask for; the handles come later. */
export async function dropped(transfer: DataTransfer): Promise<{ given: Given[]; folders: number }> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory);
  const asked = files.map((item) => ({
    file: item.getAsFile(),
    handle: (item as DataTransferItem & Handled).getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  const given: Given[] = [];
  for (const { file, handle } of asked) if (file) given.push({ file, handle: fileHandle(await handle) });
  return { given, folders: items.length - files.length };
}

const fileHandle = (handle: FileSystemHandle | null): FileSystemFileHandle | null =>
  handle?.kind === "file" ? (handle as FileSystemFileHandle) : null;

interface Picker {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}

/** Opens the browser's dialog with handles where it has one. Returns null where an input has to do. */
export async function pickWithHandles(multiple: boolean): Promise<Given[] | null> {
  const { showOpenFilePicker } = window as Window & Picker;
  if (!showOpenFilePicker) return null;
  try {
    const handles = await showOpenFilePicker({ multiple });
    return Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return []; // the person closed the dialog
    return null;
  }
}
