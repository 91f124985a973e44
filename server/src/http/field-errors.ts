import type { FieldError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/** A validation error, which names the schema keyword that a value violates. */
export interface Violation {
  keyword: string;
  /** JSON pointer to the value. */
  instancePath: string;
  params: Record<string, unknown>;
  message: string;
}

/** Returns one error per invalid field, in schema order. */
export function fieldErrors(violations: readonly Violation[]): FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const error of violations.flatMap(toFieldErrors)) {
    if (errors.size === LIMITS.FIELD_ERRORS_MAX) break;
    if (!errors.has(error.path)) errors.set(error.path, error);
  }
  return [...errors.values()];
}

function toFieldErrors({ keyword, instancePath: path, params, message }: Violation): FieldError[] {
  const names = (value: unknown) => value as string[];
  switch (keyword) {
    case "boolean": // only unknown fields have the schema `false`
      return [{ path: path.slice(0, 200), detail: "is not a known field" }];
    case "required":
      return names(params.requiredProperties).map((name) => ({
        path: `${path}/${pointer(name)}`,
        detail: "is missing",
      }));
    case "additionalProperties":
      return names(params.additionalProperties).map((name) => ({
        path: `${path}/${pointer(name)}`,
        detail: "is not a known field",
      }));
    case "enum":
      return [{ path, detail: `must be one of ${names(params.allowedValues).join(", ")}` }];
    case "propertyNames":
      return [{ path, detail: "contains a key that is empty or too long" }];
    default:
      return [{ path, detail: message }];
  }
}

const pointer = (name: string) => name.slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1");
