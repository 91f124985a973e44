import createSerializerFactory from "@fastify/fast-json-stringify-compiler";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { FastifySchemaCompiler, FastifyServerOptions } from "fastify";
import type { TSchema } from "typebox";
import { NAMED } from "./schemas/index.ts";

/**
 * A route's schemas become code when its first request comes: all of them at once took a quarter of the start, for
 * routes most of which a run never serves.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, ...rest }) =>
  lazily(() => TypeBoxValidatorCompiler({ schema: named(schema), ...rest }));

/** Fastify's own serializers, in the same way. */
export const serializers: NonNullable<FastifyServerOptions["schemaController"]> = {
  compilersFactory: {
    buildSerializer(externalSchemas, options) {
      const compile = createSerializerFactory()(externalSchemas, options);
      return (route) => lazily(() => compile(route));
    },
  },
};

/** A request's schema, where a route names it. */
function named(schema: TSchema): TSchema {
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
