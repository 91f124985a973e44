import { type Static, type TObject, type TProperties, type TSchema, Type } from "typebox";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * The building blocks of all schemas. A resource's validator, TypeScript type, serializer and OpenAPI component all
 * come from one schema, so that they cannot diverge.
 */

/** A request body. Unknown fields are errors, so that a misspelled field is not silently ignored. */
export const body = <P extends TProperties>(properties: P, options: object = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...options });

/**
 * A response object, which becomes a named OpenAPI component. It allows unknown fields, because later versions may add
 * some.
 */
export const resource = <P extends TProperties>(name: string, description: string, properties: P): TObject<P> =>
  Type.Object(properties, { $id: name, description });

/** Returns the `$ref` of a named schema. */
export const address = (schema: TSchema): string => `${(schema as { $id?: string }).$id}#`;

/** Returns a reference to a named schema. */
export const ref = <S extends TSchema>(schema: S) => Type.Unsafe<Static<S>>({ $ref: address(schema) });

/** A string enum. */
export const word = <const W extends string>(words: readonly W[], options: object = {}) =>
  Type.Unsafe<W>({ type: "string", enum: [...words], ...options });

export const objectWord = <const W extends string>(name: W) => word([name], { description: `Always "${name}".` });

export const text = (description: string, options: object = {}) => Type.String({ description, ...options });
export const textOrNull = (description: string, options: object = {}) =>
  Type.Unsafe<string | null>({ type: ["string", "null"], description, ...options });
export const integer = (description: string, options: object = {}) => Type.Integer({ description, ...options });
export const integerOrNull = (description: string, options: object = {}) =>
  Type.Unsafe<number | null>({ type: ["integer", "null"], description, ...options });
export const numberOrNull = (description: string, options: object = {}) =>
  Type.Unsafe<number | null>({ type: ["number", "null"], description, ...options });

const SHORT_UUID = { examples: ["j3bw2jWb6q7aWGwChsgR86"] };
export const id = (description = "A short UUID with 22 characters.") => text(description, SHORT_UUID);
export const idOrNull = (description: string) => textOrNull(description, SHORT_UUID);
export const videoId = (description = "A video id of 10 letters and digits.") =>
  text(description, { examples: ["k1iFD7h4rW"] });
export const time = (description: string) => integer(`${description} Unix seconds.`, { examples: [1643723823] });
export const timeOrNull = (description: string) => integerOrNull(`${description} Unix seconds.`);

/** A map of strings, such as a video's metadata. */
export const texts = (description: string, bounds: { keys?: number; key?: number; value?: number } = {}) =>
  Type.Unsafe<Record<string, string>>({
    type: "object",
    description,
    additionalProperties: { type: "string", ...(bounds.value ? { maxLength: bounds.value } : {}) },
    ...(bounds.keys ? { maxProperties: bounds.keys } : {}),
    ...(bounds.key ? { propertyNames: { type: "string", minLength: 1, maxLength: bounds.key } } : {}),
  });

/** One page of a list. */
export const listOf = <S extends TSchema>(schema: S, next = "The value to pass as `after` to get the next page.") =>
  Type.Object(
    {
      object: objectWord("list"),
      data: Type.Array(ref(schema)),
      has_more: Type.Boolean({ description: "Whether there is another page." }),
      next: textOrNull(next),
    },
    { $id: `${(schema as { $id?: string }).$id}List`, description: "A page of a list." },
  );

/** The query parameters of every list. */
export const page = {
  limit: Type.Optional(
    integer("Maximum number of items.", { minimum: 1, maximum: LIMITS.LIST_MAX, default: LIMITS.LIST_DEFAULT }),
  ),
  after: Type.Optional(text("The id of the last item on the previous page.", { maxLength: 64 })),
  before: Type.Optional(text("The id of the first item on the next page.", { maxLength: 64 })),
};

export const Deleted = resource("Deleted", "A deleted object.", {
  id: text("The object's id."),
  object: text("The object's type."),
  deleted: Type.Boolean(),
});

export const Problem = resource("Problem", "An error in RFC 9457 format.", {
  type: text("The URL of a page that explains the code."),
  title: text("The kind of error."),
  status: integer("The HTTP status."),
  code: text("A stable code for the kind of error.", { examples: ["REQUEST_INVALID"] }),
  detail: text("What went wrong and what to do about it."),
  request: text("The request id, which also appears in the server log."),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        path: text('JSON pointer to the field, or "" for the body itself.'),
        detail: text("What is wrong with the field."),
      }),
      { description: "All invalid fields." },
    ),
  ),
});
