import createSerializerFactory from "@fastify/fast-json-stringify-compiler";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { FastifySchemaCompiler, FastifyServerOptions } from "fastify";
import type { TSchema } from "typebox";
import { NAMED } from "./schemas/index.ts";

/**
 * Compiles a route's schemas on its first request. Compiling all schemas at startup took a quarter of the startup time,
 * mostly for routes that are never used.
 */
export const lazyValidator: FastifySchemaCompiler<TSchema> = ({ schema, ...rest }) =>
  lazily(() => TypeBoxValidatorCompiler({ schema: resolve(schema), ...rest }));

/** Compiles a route's serializers on its first request, too. */
export const lazySerializers: NonNullable<FastifyServerOptions["schemaController"]> = {
  compilersFactory: {
    buildSerializer(externalSchemas, options) {
      const compile = createSerializerFactory()(externalSchemas, options);
      return (route) => lazily(() => compile(route));
    },
  },
};

/** Resolves a `$ref` to the schema that it names, and returns other schemas unchanged. */
function resolve(schema: TSchema): TSchema {
  const { $ref } = schema as { $ref?: string };
  return NAMED.find(({ $id }) => `${$id}#` === $ref) ?? schema;
}

function lazily<Value, Result>(compile: () => (value: Value) => Result): (value: Value) => Result {
  let compiled: ((value: Value) => Result) | undefined;
  return (value) => {
    compiled ??= compile();
    return compiled(value);
  };
}
