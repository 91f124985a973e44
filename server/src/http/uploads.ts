import { Type } from "typebox";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Library } from "../videos/library.ts";
import { receiveFile } from "../videos/receive-file.ts";
import type { Uploads } from "../videos/upload.ts";
import type { Api } from "./api.ts";
import { ref, videoId } from "./schemas/common.ts";
import { Video } from "./schemas/videos.ts";

/** `PUT /v1/videos/{id}/file`: a whole file as the body of one request, for a plain curl. */
export async function uploadRoutes(
  app: Api,
  { uploads, library }: { uploads: Uploads; library: Library },
): Promise<void> {
  // The body is a file: it is streamed, whatever it calls itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.put(
    "/v1/videos/:id/file",
    {
      schema: {
        operationId: "putVideoFile",
        summary: "Upload a video's file in one request",
        description:
          "The body is the file itself (`curl -T film.mp4`). It is processed afterwards: `video.uploaded` says when it " +
          "plays. A file that a line might break is better sent by tus, which resumes.",
        tags: ["Videos"],
        params: Type.Object({ id: videoId() }),
        response: { 202: ref(Video) },
      },
    },
    async (request, reply) => {
      const { headers, raw, who, params } = request;
      if (headers["content-type"]?.startsWith("multipart/")) throw new MaveError("REQUEST_UNSUPPORTED", AS_IT_IS);
      raw.setTimeout(LIMITS.UPLOAD_IDLE_MS, () => raw.destroy());
      const declared = headers["content-length"];
      const size_bytes = declared === undefined ? null : Number(declared);
      await receiveFile(uploads, who.space, params.id, { stream: raw, size_bytes, name: null });
      return reply.code(202).send(await library.get(who.space, params.id));
    },
  );
}

const AS_IT_IS =
  "Send the file itself as the body, not a form: curl -T film.mp4 -H 'Authorization: Bearer mave_…' <url>.";
