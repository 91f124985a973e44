import type { NewEvent } from "../events/freeze.ts";
import { groupCommit } from "../events/group-commit.ts";
import type { Recording } from "../events/record.ts";
import type { TraceParent } from "../kernel/trace.ts";
import type { Alongside } from "../store/db.ts";
import { insertVideos, type NewVideo } from "../store/videos.ts";
import type { Library, LibraryParts } from "./library.ts";
import { newVideoId, presentVideo, type Video } from "./video.ts";

interface Wanted extends Omit<NewVideo, "id"> {
  /** Of the request: a shared commit runs as caused by one of them. */
  traceparent: TraceParent | null;
}

const ID_DRAWS_MAX = 5; // a second draw is needed once in 10^17; five mean that the generator is broken

/** Videos that are created at once, whosever they are, share a commit: several thousand a second instead of hundreds. */
export function createVideos({ recorder, random, signals, publicUrl, tracing }: LibraryParts): Library["create"] {
  const insert = (tx: Recording, wanted: readonly Wanted[]) => insertAll(tx, wanted, random.integer, publicUrl);
  const shared = groupCommit<Wanted, Video>({
    commit: (wanted) =>
      recorder.transaction(async (tx) => {
        const videos = await insert(tx, wanted);
        await tx.recordLast(videos.map((video, place) => created(wanted[place]!, video)));
        return videos;
      }),
  });
  /** In a transaction of its own, which the caller adds to. */
  const alone = (wanted: Wanted, alongside: Alongside<Video>) =>
    recorder.transaction(async (tx) => {
      const [video] = (await insert(tx, [wanted])) as [Video];
      await tx.record(created(wanted, video));
      await alongside(tx, video);
      return video;
    });
  return async (space, { name = null, metadata = {} }, alongside) => {
    const wanted = { space, name, metadata, traceparent: tracing?.traceparent() ?? null };
    const video = await (alongside ? alone(wanted, alongside) : shared(wanted));
    signals.emit("video", { space, video: video.id });
    return video;
  };
}

const created = ({ space, traceparent }: Wanted, video: Video): NewEvent => ({
  space,
  type: "video.created",
  video: video.id,
  sequence: 1,
  data: video,
  traceparent,
});

/** @returns the videos in the order wanted, each with an id that was free */
async function insertAll(
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
  return made as Video[];
}
