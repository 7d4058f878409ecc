import { isDeepStrictEqual } from "node:util";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** Reads, changes, and compares DynamoDB's attribute values. */

export type Item = Record<string, AttributeValue>;
export type Step = string | number;

export function read(item: Item, path: Step[]): AttributeValue | undefined {
  return path.reduce<AttributeValue | undefined>(
    (value, step) => (typeof step === "number" ? value?.L?.[step] : value?.M?.[step]),
    { M: item },
  );
}

/** Returns a copy with the value at the path, or without it. */
export function put(item: Item, [step, ...rest]: Step[], value: AttributeValue | undefined): Item {
  if (typeof step !== "string") throw new Error("a path begins with a name");
  const { [step]: held, ...others } = item;
  if (rest.length === 0) return value === undefined ? others : { ...others, [step]: value };
  return { ...others, [step]: within(held, rest, value) };
}

function within(held: AttributeValue | undefined, path: Step[], value: AttributeValue | undefined): AttributeValue {
  const [step, ...rest] = path;
  if (typeof step === "number" && held?.L) {
    const inner = rest.length === 0 ? value : within(held.L[step], rest, value);
    return { L: held.L.flatMap((one, i) => (i !== step ? [one] : inner === undefined ? [] : [inner])) };
  }
  if (typeof step === "string" && held?.M) return { M: put(held.M, path, value) };
  throw new Error("the document path is invalid for the item");
}

export function present(value: AttributeValue | undefined): AttributeValue {
  if (value === undefined) throw new Error("an operand refers to an attribute that does not exist");
  return value;
}

export function number(value: AttributeValue | undefined): number {
  if (value?.N === undefined) throw new Error("an operand is not a number");
  return Number(value.N);
}

/** Values of different types are unequal and have no order. */
export function compare(left: AttributeValue | undefined, right: AttributeValue | undefined, sign: string): boolean {
  if (left === undefined || right === undefined) return sign === "<>" && left !== right;
  if (sign === "=" || sign === "<>") return isDeepStrictEqual(plain(left), plain(right)) === (sign === "=");
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === "string" && typeof b === "string") return ordered(a < b, a === b, sign);
  if (typeof a === "number" && typeof b === "number") return ordered(a < b, a === b, sign);
  return false;
}

const plain = (value: AttributeValue): unknown => value.S ?? (value.N === undefined ? value : Number(value.N));

function ordered(less: boolean, equal: boolean, sign: string): boolean {
  switch (sign) {
    case "<":
      return less;
    case "<=":
      return less || equal;
    case ">":
      return !less && !equal;
    case ">=":
      return !less;
    default:
      throw new Error(`no such comparison: ${sign}`);
  }
}
