import { Type } from "typebox";
import type { Library } from "../videos/library.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { deleted, paged } from "./lists.ts";
import { Deleted, ref, videoId } from "./schemas/common.ts";
import { UploadToken, Video, VideoCreate, VideoList, VideoQuery, VideoUpdate } from "./schemas/videos.ts";

const params = Type.Object({ id: videoId() });
const tags = ["Videos"];

export function videoRoutes(app: Api, { library, change }: { library: Library; change: Change }): void {
  app.post(
    "/v1/videos",
    {
      schema: {
        operationId: "createVideo",
        summary: "Create a video",
        description: "Records a `video.created` event. Next, upload the file with tus or with a single `PUT`.",
        tags,
        body: ref(VideoCreate),
        response: { 201: ref(Video) },
      },
      config: { idempotent: true },
    },
    (request, reply) =>
      change(request, reply, (tx) => library.createIn(tx, request.who.space, request.body), {
        status: 201,
        grouped: () => library.create(request.who.space, request.body),
      }),
  );

  app.get(
    "/v1/videos",
    {
      schema: {
        operationId: "listVideos",
        summary: "List videos",
        description: "Newest first.",
        tags,
        querystring: VideoQuery,
        response: { 200: ref(VideoList) },
      },
    },
    async ({ who, query }) => {
      const { data, has_more, next } = await library.list(who.space, { ...query, ...paged(query) });
      return { object: "list" as const, data, has_more, next };
    },
  );

  app.get(
    "/v1/videos/:id",
    {
      schema: { operationId: "getVideo", summary: "Get a video", tags, params, response: { 200: ref(Video) } },
    },
    ({ who, params }) => library.get(who.space, params.id),
  );

  app.patch(
    "/v1/videos/:id",
    {
      schema: {
        operationId: "updateVideo",
        summary: "Update a video",
        tags,
        params,
        body: ref(VideoUpdate),
        response: { 200: ref(Video) },
      },
    },
    (request, reply) =>
      change(request, reply, (tx) => library.update(tx, request.who.space, request.params.id, request.body)),
  );

  app.delete(
    "/v1/videos/:id",
    {
      schema: {
        operationId: "deleteVideo",
        summary: "Delete a video",
        description:
          "Deletes the video and its files, and records a `video.deleted` event. The embed stops playing immediately.",
        tags,
        params,
        response: { 200: ref(Deleted) },
      },
    },
    (request, reply) =>
      change(request, reply, (tx) => library.remove(tx, request.who.space, request.params.id), {
        audit: { action: "video.deleted", subject: ({ id }) => id, details: ({ name }) => ({ name }) },
        present: deleted,
      }),
  );

  app.post(
    "/v1/videos/:id/upload-tokens",
    {
      schema: {
        operationId: "createUploadToken",
        summary: "Create an upload token",
        description: "The token lets a browser upload to this video only, without an API key.",
        tags,
        params,
        response: { 201: ref(UploadToken) },
      },
      config: { idempotent: true },
    },
    (request, reply) =>
      change(request, reply, (tx) => library.createUploadToken(tx, request.who.space, request.params.id), {
        status: 201,
        audit: { action: "video.upload_token_created", subject: () => request.params.id },
      }),
  );
}
