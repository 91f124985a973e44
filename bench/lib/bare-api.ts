/** The baseline for the API: a Fastify route with the same body and response schemas that does no other work. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify from "fastify";
import { Video, VideoCreate } from "../../server/src/http/schemas/videos.ts";

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>();
const video: Video = {
  id: "k1iFD7h4rW",
  object: "video",
  created: 1_643_723_737,
  embed_url: "https://videos.example.com/k1iFD7h4rW",
  last_upload: null,
  name: null,
  status: "waiting",
  progress: null,
  error: null,
  duration: null,
  width: null,
  height: null,
  size: null,
  poster_url: null,
  playback_url: null,
  renditions: [],
  metadata: {},
};
app.get("/readyz", async () => ({}));
app.post("/v1/videos", { schema: { body: VideoCreate, response: { 201: Video } } }, async ({ body }, reply) =>
  reply.code(201).send({ ...video, name: body.name ?? null, metadata: body.metadata ?? {} }),
);
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
