import { Type } from "typebox";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Library } from "../videos/library.ts";
import { receiveFile } from "../videos/receive-file.ts";
import type { Uploads } from "../videos/upload.ts";
import type { Api } from "./api.ts";
import { ref, videoId } from "./schemas/common.ts";
import { Video } from "./schemas/videos.ts";

/** Adds `PUT /v1/videos/{id}/file`, which takes the whole file as one request body, for clients without tus. */
export async function uploadRoutes(
  app: Api,
  { uploads, library }: { uploads: Uploads; library: Library },
): Promise<void> {
  // Bodies of any content type are streamed.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.put(
    "/v1/videos/:id/file",
    {
      schema: {
        operationId: "putVideoFile",
        summary: "Upload a video's file in one request",
        description:
          "Send the file itself as the body (`curl -T film.mp4`). Processing starts once the upload is complete, and " +
          "`video.uploaded` is sent once the video is playable. On unreliable connections, use tus, which can resume an upload.",
        tags: ["Videos"],
        params: Type.Object({ id: videoId() }),
        response: { 202: ref(Video) },
      },
    },
    async (request, reply) => {
      const { headers, raw, who, params } = request;
      if (headers["content-type"]?.startsWith("multipart/")) throw new MaveError("REQUEST_UNSUPPORTED", NO_FORM);
      raw.setTimeout(LIMITS.UPLOAD_IDLE_MS, () => raw.destroy());
      const declared = headers["content-length"];
      const size_bytes = declared === undefined ? null : Number(declared);
      await receiveFile(uploads, who.space, params.id, { stream: raw, size_bytes, name: null });
      return reply.code(202).send(await library.get(who.space, params.id));
    },
  );
}

const NO_FORM =
  "Send the file itself as the body instead of a form: curl -T film.mp4 -H 'Authorization: Bearer mave_…' <url>.";
