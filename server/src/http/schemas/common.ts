import { type Static, type TObject, type TProperties, type TSchema, Type } from "typebox";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * The words that every schema is made of. One schema is the validation, the TypeScript type, the serializer and the
 * OpenAPI component of its resource, so none of the four can drift from the others.
 */

/** A request's object: a field that is not listed is an error, so that a misspelt one is not silently ignored. */
export const body = <P extends TProperties>(properties: P, options: object = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** A response's object, named in OpenAPI. It stays open: fields may be added. */
export const resource = <P extends TProperties>(name: string, description: string, properties: P): TObject<P> =>
  Type.Object(properties, { $id: name, description });

/** Where a named schema is found. */
export const address = (schema: TSchema): string => `${(schema as { $id?: string }).$id}#`;

/** A use of a named schema, by reference. */
export const ref = <S extends TSchema>(schema: S) => Type.Unsafe<Static<S>>({ $ref: address(schema) });

/** One of a closed set of words. */
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
export const id = (description = "A short UUID of 22 characters.") => text(description, SHORT_UUID);
export const idOrNull = (description: string) => textOrNull(description, SHORT_UUID);
export const videoId = (description = "The video's id: 10 letters and digits.") =>
  text(description, { examples: ["k1iFD7h4rW"] });
export const time = (description: string) => integer(`${description} Unix seconds.`, { examples: [1643723823] });
export const timeOrNull = (description: string) => integerOrNull(`${description} Unix seconds.`);

/** A map of texts, such as a video's metadata. */
export const texts = (description: string, bounds: { keys?: number; key?: number; value?: number } = {}) =>
  Type.Unsafe<Record<string, string>>({
    type: "object",
    description,
    additionalProperties: { type: "string", ...(bounds.value ? { maxLength: bounds.value } : {}) },
    ...(bounds.keys ? { maxProperties: bounds.keys } : {}),
    ...(bounds.key ? { propertyNames: { type: "string", minLength: 1, maxLength: bounds.key } } : {}),
  });

/** One page of a list. */
export const listOf = <S extends TSchema>(schema: S, next = "The id to pass as `after` for the next page.") =>
  Type.Object(
    {
      object: objectWord("list"),
      data: Type.Array(ref(schema)),
      has_more: Type.Boolean({ description: "Whether there is a page after this one." }),
      next: textOrNull(next),
    },
    { $id: `${(schema as { $id?: string }).$id}List`, description: "One page." },
  );

/** The query fields of every list. */
export const page = {
  limit: Type.Optional(
    integer("How many at most.", { minimum: 1, maximum: LIMITS.LIST_MAX, default: LIMITS.LIST_DEFAULT }),
  ),
  after: Type.Optional(text("The id of the last item of the page before.", { maxLength: 64 })),
  before: Type.Optional(text("The id of the first item of the page after.", { maxLength: 64 })),
};

export const Deleted = resource("Deleted", "What was deleted.", {
  id: text("The id it had."),
  object: text("What it was."),
  deleted: Type.Boolean(),
});

export const Problem = resource("Problem", "Any failure, as RFC 9457 describes it.", {
  type: text("A page that explains this kind of failure."),
  title: text("The kind of failure in one sentence."),
  status: integer("The HTTP status."),
  code: text("A stable word for the kind of failure.", { examples: ["REQUEST_INVALID"] }),
  detail: text("What is wrong here, and what to do."),
  request: text("The id of this request, which the server's log names too."),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        path: text('A JSON pointer into the body ("" is the body itself), or ?name for a query field.'),
        detail: text("What is wrong with it."),
      }),
      { description: "Every bad field." },
    ),
  ),
});
