import type { NewEvent } from "../events/freeze.ts";
import { groupCommit } from "../events/group-commit.ts";
import type { Recorder } from "../events/record.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { TraceParent, Tracing } from "../kernel/trace.ts";
import type { Database, Sql, Transaction } from "../store/db.ts";
import { insertVideos, type NewVideo } from "../store/videos.ts";
import { newVideoId, presentVideo, type Video } from "./video.ts";

export interface VideoInput {
  name?: string | null | undefined;
  metadata?: Record<string, string> | undefined;
}

export interface CreateVideosParts {
  db: Database;
  recorder: Recorder;
  random: Random;
  signals: Signals;
  publicUrl: string;
  tracing?: Tracing | undefined;
}

interface Wanted extends Omit<NewVideo, "id"> {
  /**
   * The request's own trace context, kept here because a group commit runs in the context of only one of its requests.
   */
  traceparent: TraceParent | null;
}

const ID_DRAWS_MAX = 5; // a second draw is needed about once in 10^17 times; after five, the generator must be broken

/**
 * Creates videos. Videos created at the same time, in any space, are committed together, which raises throughput from
 * hundreds to several thousand videos per second.
 */
export function createVideos({ db, recorder, random, signals, publicUrl, tracing }: CreateVideosParts) {
  const wantedOf = (space: string, { name = null, metadata = {} }: VideoInput): Wanted => {
    return { space, name, metadata, traceparent: tracing?.traceparent() ?? null };
  };
  const insert = async (tx: Transaction, wanted: readonly Wanted[]) => {
    const videos = await insertAll(tx, wanted, random.integer, publicUrl);
    tx.afterCommit(() => {
      for (const [place, video] of videos.entries())
        signals.emit("video", { space: wanted[place]!.space, video: video.id });
    });
    return videos;
  };
  const grouped = groupCommit<Wanted, Video>({
    commit: (wanted) =>
      db.transaction(async (tx) => {
        const videos = await insert(tx, wanted);
        await recorder.recordLast(
          tx,
          videos.map((video, place) => created(wanted[place]!, video)),
        );
        return videos;
      }),
  });
  const create = (space: string, input: VideoInput): Promise<Video> => grouped(wantedOf(space, input));
  const createIn = async (tx: Transaction, space: string, input: VideoInput): Promise<Video> => {
    const wanted = wantedOf(space, input);
    const [video] = (await insert(tx, [wanted])) as [Video];
    await recorder.record(tx, created(wanted, video));
    return video;
  };
  return { create, createIn };
}

const created = ({ space, traceparent }: Wanted, video: Video): NewEvent => ({
  space,
  type: "video.created",
  video: video.id,
  sequence: 1,
  data: video,
  traceparent,
});

/** Inserts the videos, each with an unused id. @returns the videos in the order of `wanted` */
async function insertAll(
  tx: Sql,
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
