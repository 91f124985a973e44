/** What the server says of the video, in the page itself. */
export interface EmbedData {
  id: string;
  status: "waiting" | "uploading" | "processing" | "ready" | "failed" | "deleted";
  name: string | null;
  playback: string | null;
  poster: string | null;
  storyboard: string | null;
}

const data = JSON.parse(document.getElementById("video")!.textContent!) as EmbedData;
if (data.status === "ready") offer();
else if (data.status !== "deleted") follow();

/** The player is fetched when somebody means to play, or a moment before. */
function offer(): void {
  const wanted = new URLSearchParams(location.search);
  const button = document.getElementById("play") as HTMLButtonElement;
  const load = () => import("./player.ts");
  let begun = false;
  const play = async (byPerson: boolean) => {
    if (begun) return;
    begun = true;
    document.body.classList.add("loading");
    const { mountPlayer } = await load();
    await mountPlayer(data, {
      muted: wanted.get("muted") === "1" || !byPerson, // browsers start by themselves only what is silent
      loop: wanted.get("loop") === "1",
      start_s: Number(wanted.get("t")) || 0,
    });
  };
  button.addEventListener("click", () => play(true));
  for (const hint of ["pointerenter", "focus"]) button.addEventListener(hint, () => void load(), { once: true });
  document.addEventListener("keydown", (event) => {
    if (!begun && (event.key === " " || event.key === "k") && event.target !== button) {
      event.preventDefault();
      void play(true);
    }
  });
  if (wanted.get("autoplay") === "1") void play(false);
}

const POLL_MS = 1_500;

/** A page of a video that does not play yet: shows how far it is, and becomes the player. */
function follow(): void {
  const bar = document.getElementById("progress") as HTMLProgressElement | null;
  const percent = document.getElementById("percent");
  const look = async () => {
    const response = await fetch(`/embed/state/${data.id}`, { cache: "no-store" }).catch(() => null);
    // Out of reach for the moment: the page keeps what it knows and asks again.
    const state = response?.ok ? ((await response.json()) as { status: string; progress: number | null }) : null;
    if (response?.status === 410 || (state && state.status !== data.status)) return location.reload();
    if (state?.progress != null) {
      bar?.setAttribute("value", String(state.progress));
      if (percent) percent.textContent = `${state.progress} %`;
    }
    wait();
  };
  const wait = () => setTimeout(() => (document.hidden ? wait() : void look()), POLL_MS);
  wait();
}
