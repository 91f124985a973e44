/** Files chosen by drag and drop, through a file dialog that returns handles (Chromium), or through a plain input. */

/** A chosen file, with a handle if the browser provides one. Unlike the file, a handle survives a reload. */
export interface PickedFile {
  file: File;
  handle: FileSystemFileHandle | null;
}

/** Video file extensions. They are checked because some systems report no type, or a wrong one, for some videos. */
const VIDEO_EXTENSIONS = /\.(mp4|m4v|mov|mkv|webm|avi|mts|m2ts|ts|mpe?g|flv|ogv|wmv|asf|mxf|3gp|3g2|gif)$/i;

/** Checks only enough to keep a stray PDF from becoming a video. The server makes the final decision. */
export const looksLikeVideo = ({ name, type }: Pick<File, "name" | "type">): boolean =>
  type.startsWith("video/") || VIDEO_EXTENSIONS.test(name);

interface WithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/**
 * Returns the dropped files, and how many folders were dropped. Reads the event synchronously, since browsers clear it
 * when the handler returns.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<{ files: PickedFile[]; folders: number }> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const fileItems = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory);
  const pending = fileItems.map((item) => ({
    file: item.getAsFile(),
    handle: (item as DataTransferItem & WithHandle).getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  const files: PickedFile[] = [];
  for (const { file, handle } of pending) if (file) files.push({ file, handle: fileHandle(await handle) });
  return { files, folders: items.length - fileItems.length };
}

const fileHandle = (handle: FileSystemHandle | null): FileSystemFileHandle | null =>
  handle?.kind === "file" ? (handle as FileSystemFileHandle) : null;

interface WithPicker {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}

/** Opens a file dialog that returns handles. @returns null if the browser does not support handles */
export async function pickWithHandles(multiple: boolean): Promise<PickedFile[] | null> {
  const { showOpenFilePicker } = window as Window & WithPicker;
  if (!showOpenFilePicker) return null;
  try {
    const handles = await showOpenFilePicker({ multiple });
    return Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return []; // the user closed the dialog
    return null;
  }
}
