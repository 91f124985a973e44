import type { Recorder, Recording } from "../events/record.ts";
import { shareCommits } from "../events/share-commits.ts";
import { insertVideos, type NewVideo } from "../store/videos.ts";
import type { Cause } from "../tracing.ts";
import type { Library, LibraryParts } from "./library.ts";
import { newVideoId, presentVideo, type Video } from "./video.ts";

interface Wanted extends Omit<NewVideo, "id"> {
  /** Of the request: a shared commit runs as caused by one of them. */
  cause: Cause | null;
}

const ID_DRAWS_MAX = 5; // a second draw is needed once in 10^17; five mean that the generator is broken

/** Videos that are created at once, whosever they are, share a commit: several thousand a second instead of hundreds. */
export function createVideos({ recorder, random, signals, publicUrl, tracing }: LibraryParts): Library["create"] {
  const within = (tx: Recording, wanted: readonly Wanted[]) => create(tx, wanted, random.integer, publicUrl);
  const shared = shareCommits<Wanted, Video>({
    commit: (wanted) => recorder.transaction((tx) => within(tx, wanted)),
  });
  return async (space, { name = null, metadata = {} }, alongside) => {
    const wanted = { space, name, metadata, cause: tracing?.cause() ?? null };
    const video = alongside ? await createOne(recorder, within, wanted, alongside) : await shared(wanted);
    signals.emit("video", { space, video: video.id });
    return video;
  };
}

/** In a transaction of its own, which the caller adds to. */
function createOne(
  recorder: Recorder,
  within: (tx: Recording, wanted: readonly Wanted[]) => Promise<Video[]>,
  wanted: Wanted,
  alongside: NonNullable<Parameters<Library["create"]>[2]>,
): Promise<Video> {
  return recorder.transaction(async (tx) => {
    const [video] = (await within(tx, [wanted])) as [Video];
    await alongside(tx, video);
    return video;
  });
}

async function create(
  tx: Recording,
  wanted: readonly Wanted[],
  integer: (below: number) => number,
  publicUrl: string,
): Promise<Video[]> {
  const made: (Video | undefined)[] = wanted.map(() => undefined);
  for (let draw = 0; draw < ID_DRAWS_MAX && made.includes(undefined); draw++) {
    const places = new Map<string, number>();
    for (const [place, video] of made.entries()) if (video === undefined) places.set(newVideoId(integer), place);
    const drawn = [...places].map(([id, place]) => {
      const { space, name, metadata } = wanted[place]!;
      return { space, name, metadata, id };
    });
    for (const row of await insertVideos(tx, drawn)) made[places.get(row.id)!] = presentVideo(row, publicUrl);
  }
  if (made.includes(undefined)) throw new Error("the random generator repeats itself: no video id was free");
  const videos = made as Video[];
  await tx.recordLast(
    videos.map((video, place) => ({
      space: wanted[place]!.space,
      type: "video.created",
      video: video.id,
      sequence: 1,
      data: video,
      cause: wanted[place]!.cause,
    })),
  );
  return videos;
}
