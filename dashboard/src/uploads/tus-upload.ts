/** Sends one file over tus. The library loads with the first upload, not with the page. */
import type { DetailedError, Upload as TusUpload } from "tus-js-client";
import { ApiError, api } from "../api/client.ts";
import type { Video } from "../api/types.ts";
import type { UploadError } from "./upload-error.ts";
import type { Upload } from "./upload-state.ts";
import { videoName } from "./upload-text.ts";

export interface UploadEvents {
  created(video: string): void;
  located(url: string | null): void;
  progressed(sent: number): void;
  received(): void;
  failed(error: UploadError): void;
}

interface UploadToken {
  token: string;
  expires: number;
}

const UPLOADS_PATH = "/v1/uploads";

/** Starts an upload, or resumes it at the server's offset. @returns a function that stops it but keeps the sent data */
export function startUpload(upload: Upload, file: File, events: UploadEvents): () => void {
  const stopped = new AbortController();
  const fail = (error: UploadError) => {
    if (!stopped.signal.aborted) events.failed(error);
  };
  start({ upload, file, events, fail, stopped: stopped.signal }).catch((error: unknown) => fail(fromApiError(error)));
  return () => stopped.abort();
}

interface Attempt {
  upload: Upload;
  file: File;
  events: UploadEvents;
  fail: (error: UploadError) => void;
  stopped: AbortSignal;
}

async function start(attempt: Attempt): Promise<void> {
  const { upload, file, events, stopped } = attempt;
  const tus = await import("tus-js-client");
  const video = upload.video ?? (await createVideo(upload, events));
  if (stopped.aborted) return;
  const { token } = await api.post<UploadToken>(`/v1/videos/${video}/upload-tokens`);
  if (stopped.aborted) return;
  const onUploadUrlAvailable = () => reportLocation(tusUpload, events);
  const tusUpload = new tus.Upload(file, { ...options(attempt, video, token), onUploadUrlAvailable });
  stopped.addEventListener("abort", () => void tusUpload.abort());
  tusUpload.start();
}

async function createVideo(upload: Upload, events: UploadEvents): Promise<string> {
  const { id } = await api.post<Video>("/v1/videos", { name: videoName(upload.name) });
  events.created(id);
  return id;
}

function options({ upload, file, events, fail, stopped }: Attempt, video: string, token: string) {
  return {
    // Set only one URL. With both, tus starts over after any rejection, even a 503, and loses the data already sent.
    endpoint: upload.url === null ? UPLOADS_PATH : null,
    uploadUrl: upload.url,
    headers: { authorization: `Bearer ${token}` },
    metadata: { video, filename: file.name, filetype: file.type },
    retryDelays: null, // upload-state.ts retries, with a countdown
    storeFingerprintForResuming: false, // upload-store.ts stores the URL instead, with the file's handle
    onProgress: (sent: number) => {
      if (!stopped.aborted) events.progressed(sent);
    },
    onSuccess: () => events.received(),
    onError: (error: Error | DetailedError) => void fromTusError(error, file, events).then(fail),
  };
}

/** Reports the upload's URL without its host, since the dashboard may later be open under another hostname. */
function reportLocation(tusUpload: TusUpload, events: UploadEvents): void {
  if (tusUpload.url === null) return;
  const { pathname } = new URL(tusUpload.url, location.href);
  tusUpload.url = pathname;
  events.located(pathname);
}

async function fromTusError(error: Error | DetailedError, file: File, events: UploadEvents): Promise<UploadError> {
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (response === null || response.getStatus() === 0)
    return (await isReadable(file)) ? { kind: "offline" } : { kind: "unreadable" };
  const status = response.getStatus();
  const method = "originalRequest" in error ? error.originalRequest.getMethod() : "POST";
  if (status === 423 || (status === 409 && method === "PATCH")) return { kind: "busy" };
  // A newer upload has replaced this one. Starting over would end the newer upload, so let the user decide.
  if (status === 409 && method === "HEAD") events.located(null);
  if (method !== "POST" && [404, 410].includes(status)) {
    events.located(null);
    return { kind: "part expired" };
  }
  if (status === 401 || status === 403) return { kind: "token expired" };
  const retryAfter_s = Number(response.getHeader("retry-after")) || null;
  return { kind: "response", status, detail: detailOf(response.getBody()), retryAfter_s };
}

/** Reads one byte to tell a changed file from a lost connection, because both make an upload fail in the same way. */
async function isReadable(file: File): Promise<boolean> {
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}

function detailOf(body: string): string | null {
  try {
    const { detail, title } = JSON.parse(body) as { detail?: unknown; title?: unknown };
    return [detail, title].find((text): text is string => typeof text === "string") ?? null;
  } catch {
    return null; // some tus errors are plain text
  }
}

function fromApiError(error: unknown): UploadError {
  if (!(error instanceof ApiError)) throw error;
  const { status, detail } = error.problem;
  if (status === 0) return { kind: "offline" };
  if (status === 401) return { kind: "signed out" };
  return { kind: "response", status, detail, retryAfter_s: null };
}

/** Deletes the video if it was created for this upload. Otherwise, deletes only the partial upload. */
export async function discard({ video, createdVideo, url }: Upload): Promise<void> {
  if (video === null) return;
  if (createdVideo) return void (await api.delete(`/v1/videos/${video}`));
  if (url === null) return;
  const { token } = await api.post<UploadToken>(`/v1/videos/${video}/upload-tokens`);
  const { Upload: Tus } = await import("tus-js-client");
  await Tus.terminate(url, { headers: { authorization: `Bearer ${token}` } });
}
