/** Sends one upload's bytes by tus. The library is fetched with the first upload, not with the page. */
import type { DetailedError, Upload as TusUpload } from "tus-js-client";
import { ApiError, api } from "../api/client.ts";
import type { Video } from "../api/types.ts";
import type { Fault } from "./upload-error.ts";
import type { Upload } from "./upload-state.ts";
import { nameOf } from "./upload-text.ts";

export interface Told {
  created(video: string): void;
  located(url: string | null): void;
  progressed(sent: number): void;
  received(): void;
  broke(fault: Fault): void;
}

interface UploadToken {
  token: string;
  expires: number;
}

const UPLOADS_PATH = "/v1/uploads";

/** Begins, or goes on where the server is. Returns a function that stops at once; the server keeps what it has. */
export function send(upload: Upload, file: File, told: Told): () => void {
  const stopped = new AbortController();
  const heard = (fault: Fault) => {
    if (!stopped.signal.aborted) told.broke(fault);
  };
  begin(upload, file, told, stopped.signal, heard).catch((error: unknown) => heard(faultOfApi(error)));
  return () => stopped.abort();
}

async function begin(upload: Upload, file: File, told: Told, stopped: AbortSignal, heard: (fault: Fault) => void) {
  const tus = await import("tus-js-client");
  const video = upload.video ?? (await createVideo(upload, told));
  if (stopped.aborted) return;
  const { token } = await api.post<UploadToken>(`/v1/videos/${video}/upload-tokens`);
  if (stopped.aborted) return;
  const options = { file, video, token, upload, told, heard, stopped };
  const sending = new tus.Upload(file, { ...settings(options), onUploadUrlAvailable: () => located(sending, told) });
  stopped.addEventListener("abort", () => void sending.abort());
  sending.start();
}

async function createVideo(upload: Upload, told: Told): Promise<string> {
  const { id } = await api.post<Video>("/v1/videos", { name: nameOf(upload.name) });
  told.created(id);
  return id;
}

interface Sending {
  file: File;
  video: string;
  token: string;
  upload: Upload;
  told: Told;
  heard: (fault: Fault) => void;
  stopped: AbortSignal;
}

function settings({ file, video, token, upload, told, heard, stopped }: Sending) {
  return {
    // With an endpoint tus begins anew on any refusal, a 503 too, and what was sent is lost; so one or the other.
    endpoint: upload.url === null ? UPLOADS_PATH : null,
    uploadUrl: upload.url,
    headers: { authorization: `Bearer ${token}` },
    metadata: { video, filename: file.name, filetype: file.type },
    retryDelays: null, // ours show a countdown
    storeFingerprintForResuming: false, // ours remembers the file's handle too
    onProgress: (sent: number) => {
      if (!stopped.aborted) told.progressed(sent);
    },
    onSuccess: () => told.received(),
    onError: (error: Error | DetailedError) => void faultOf(error, file, told).then(heard),
  };
}

/** The address without its host: the dashboard may be open under another name of the same server. */
function located(sending: TusUpload, told: Told): void {
  if (sending.url === null) return;
  const { pathname } = new URL(sending.url, location.href);
  sending.url = pathname;
  told.located(pathname);
}

async function faultOf(error: Error | DetailedError, file: File, told: Told): Promise<Fault> {
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (response === null || response.getStatus() === 0)
    return (await readable(file)) ? { kind: "offline" } : { kind: "unreadable" };
  const status = response.getStatus();
  const method = "originalRequest" in error ? error.originalRequest.getMethod() : "POST";
  if (status === 423 || (status === 409 && method === "PATCH")) return { kind: "busy" };
  if (status === 409 && method === "HEAD") told.located(null); // begun anew by hand only: it ends a newer upload
  if (method !== "POST" && [404, 410].includes(status)) {
    told.located(null);
    return { kind: "part expired" };
  }
  if (status === 401 || status === 403) return { kind: "token expired" };
  const after = Number(response.getHeader("retry-after"));
  return { kind: "answered", status, detail: detailOf(response.getBody()), retryAfter_s: after > 0 ? after : null };
}

/** A changed or moved file fails exactly as a lost connection does; reading one byte tells them apart. */
async function readable(file: File): Promise<boolean> {
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
    return null; // tus answers some refusals in plain words meant for programs
  }
}

function faultOfApi(error: unknown): Fault {
  if (!(error instanceof ApiError)) throw error;
  const { status, detail } = error.problem;
  if (status === 0) return { kind: "offline" };
  if (status === 401) return { kind: "signed out" };
  return { kind: "answered", status, detail, retryAfter_s: null };
}

/** Throws away what the server has: the video where the upload made it, else only the part received. */
export async function discard({ video, made, url }: Upload): Promise<void> {
  if (video === null) return;
  if (made) return void (await api.delete(`/v1/videos/${video}`));
  if (url === null) return;
  const { token } = await api.post<UploadToken>(`/v1/videos/${video}/upload-tokens`);
  const { Upload: Tus } = await import("tus-js-client");
  await Tus.terminate(url, { headers: { authorization: `Bearer ${token}` } });
}
