/** The video data that the server embeds in the page. */
export interface EmbedData {
  id: string;
  status: "waiting" | "uploading" | "processing" | "ready" | "failed" | "deleted";
  name: string | null;
  playback: string | null;
  poster: string | null;
  storyboard: string | null;
}

const data = JSON.parse(document.getElementById("video")!.textContent!) as EmbedData;
if (data.status === "ready") showPlayButton();
else if (data.status !== "deleted") pollStatus();

/** Shows the play button. The player loads on playback, or earlier if the user hovers over the button or focuses it. */
function showPlayButton(): void {
  const query = new URLSearchParams(location.search);
  const button = document.getElementById("play") as HTMLButtonElement;
  const load = () => import("./player.ts");
  let hasStarted = false;
  const play = async (isUserAction: boolean) => {
    if (hasStarted) return;
    hasStarted = true;
    document.body.classList.add("loading");
    const { mountPlayer } = await load();
    await mountPlayer(data, {
      muted: query.get("muted") === "1" || !isUserAction, // browsers allow autoplay only if the video is muted
      loop: query.get("loop") === "1",
      start_s: Number(query.get("t")) || 0,
    });
  };
  button.addEventListener("click", () => play(true));
  for (const hint of ["pointerenter", "focus"]) button.addEventListener(hint, () => void load(), { once: true });
  document.addEventListener("keydown", (event) => {
    if (!hasStarted && (event.key === " " || event.key === "k") && event.target !== button) {
      event.preventDefault();
      void play(true);
    }
  });
  if (query.get("autoplay") === "1") void play(false);
}

const POLL_MS = 1_500;

/** Shows progress until the video is ready, and reloads the page when the status changes. */
function pollStatus(): void {
  const bar = document.getElementById("progress") as HTMLProgressElement | null;
  const percent = document.getElementById("percent");
  const poll = async () => {
    const response = await fetch(`/embed/state/${data.id}`, { cache: "no-store" }).catch(() => null);
    // If the server is unreachable, keep the page as it is and poll again.
    const state = response?.ok ? ((await response.json()) as { status: string; progress: number | null }) : null;
    if (response?.status === 410 || (state && state.status !== data.status)) return location.reload();
    if (state?.progress != null) {
      bar?.setAttribute("value", String(state.progress));
      if (percent) percent.textContent = `${state.progress}%`;
    }
    wait();
  };
  const wait = () => setTimeout(() => (document.hidden ? wait() : void poll()), POLL_MS);
  wait();
}
