import "media-chrome/dist/media-controller.js";
import "media-chrome/dist/media-control-bar.js";
import "media-chrome/dist/media-fullscreen-button.js";
import "media-chrome/dist/media-loading-indicator.js";
import "media-chrome/dist/media-mute-button.js";
import "media-chrome/dist/media-pip-button.js";
import "media-chrome/dist/media-play-button.js";
import "media-chrome/dist/media-preview-thumbnail.js";
import "media-chrome/dist/media-preview-time-display.js";
import "media-chrome/dist/media-time-display.js";
import "media-chrome/dist/media-time-range.js";
import "media-chrome/dist/media-volume-range.js";
import type Hls from "hls.js";
import type { EmbedData } from "./main.ts";

export interface Start {
  muted: boolean;
  loop: boolean;
  start_s: number;
}

/** Replaces the poster with the player and starts playback. */
export async function mountPlayer(data: EmbedData, { muted, loop, start_s }: Start): Promise<void> {
  const video = document.createElement("video");
  Object.assign(video, { slot: "media", playsInline: true, crossOrigin: "anonymous", muted, loop });
  if (data.poster) video.poster = data.poster;
  if (data.storyboard) video.append(thumbnails(data.storyboard));
  const controller = document.createElement("media-controller");
  controller.setAttribute("aria-label", data.name ?? "Video");
  controller.innerHTML = CONTROLS;
  controller.prepend(video);
  chooseRate(controller.querySelector("button")!, video);
  const title = document.querySelector("h1")!; // for screen readers
  document.getElementById("stage")!.replaceChildren(title, controller);
  controller.focus();
  await attach(video, data.playback!);
  if (start_s > 0) video.currentTime = start_s;
  // If the browser blocks autoplay, the player stays paused with its play button visible.
  await video.play().catch(() => undefined);
}

const CONTROLS = `
  <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
  <media-time-range>
    <media-preview-thumbnail slot="preview"></media-preview-thumbnail>
    <media-preview-time-display slot="preview"></media-preview-time-display>
  </media-time-range>
  <media-control-bar>
    <media-play-button></media-play-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <media-time-display showduration notoggle></media-time-display>
    <span class="spacer"></span>
    <button type="button" class="rate" aria-label="Speed 1×">1×</button>
    <media-pip-button></media-pip-button>
    <media-fullscreen-button></media-fullscreen-button>
  </media-control-bar>`;

const RATES = [1, 1.25, 1.5, 2, 0.5];

/** Sets up our own rate button, because the accessible name of media-chrome's does not match its text. */
function chooseRate(button: HTMLButtonElement, video: HTMLVideoElement): void {
  button.addEventListener("click", () => {
    video.playbackRate = RATES[(RATES.indexOf(video.playbackRate) + 1) % RATES.length]!;
    button.textContent = `${video.playbackRate}×`;
    button.setAttribute("aria-label", `Speed ${video.playbackRate}×`);
  });
}

function thumbnails(source: string): HTMLTrackElement {
  const track = document.createElement("track");
  Object.assign(track, { kind: "metadata", label: "thumbnails", src: source, default: true });
  return track;
}

/** Uses hls.js if the browser supports Media Source Extensions. Otherwise, uses native HLS, as in Safari on iPhone. */
async function attach(video: HTMLVideoElement, playlist: string): Promise<void> {
  const { default: Hls } = await import("hls.js");
  if (!Hls.isSupported()) {
    video.src = playlist;
    return;
  }
  const hls = new Hls({ enableWorker: false, capLevelToPlayerSize: true, backBufferLength: 60 });
  hls.on(Hls.Events.ERROR, (_event, error) => error.fatal && recover(hls, error.type));
  hls.loadSource(playlist);
  hls.attachMedia(video);
  await new Promise<void>((resolve) => hls.once(Hls.Events.MANIFEST_PARSED, () => resolve()));
}

const RETRY_MS = 2_000;

function recover(hls: Hls, type: string): void {
  if (type === "mediaError") hls.recoverMediaError();
  else setTimeout(() => hls.startLoad(), RETRY_MS);
}
