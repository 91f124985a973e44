import type { FieldError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/** What the validator found: one broken keyword of the schema. */
export interface Violation {
  keyword: string;
  /** A JSON pointer to the value. */
  instancePath: string;
  params: Record<string, unknown>;
  message: string;
}

/** One sentence's end per bad field, all of them, in the order of the schema. */
export function fieldErrors(violations: readonly Violation[]): FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const error of violations.flatMap(sentences)) {
    if (errors.size === LIMITS.FIELD_ERRORS_MAX) break;
    if (!errors.has(error.path)) errors.set(error.path, error);
  }
  return [...errors.values()];
}

function sentences({ keyword, instancePath: path, params, message }: Violation): FieldError[] {
  const names = (value: unknown) => value as string[];
  switch (keyword) {
    case "boolean": // no schema of ours is `false` but that of unknown fields
      return [{ path: path.slice(0, 200), detail: "is not a field here" }];
    case "required":
      return names(params.requiredProperties).map((name) => ({
        path: `${path}/${pointer(name)}`,
        detail: "is missing",
      }));
    case "additionalProperties":
      return names(params.additionalProperties).map((name) => ({
        path: `${path}/${pointer(name)}`,
        detail: "is not a field here",
      }));
    case "enum":
      return [{ path, detail: `must be one of ${names(params.allowedValues).join(", ")}` }];
    case "propertyNames":
      return [{ path, detail: "has a name that is too long or empty" }];
    default:
      return [{ path, detail: message }];
  }
}

const pointer = (name: string) => name.slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1");
