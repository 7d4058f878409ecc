import { isDeepStrictEqual } from "node:util";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { compare, type Item, number, present, put, read, type Step } from "./attributes.ts";

/** DynamoDB's condition and update expressions, as far as this system uses them. Anything else throws. */

export type Scope = { names?: Record<string, string> | undefined; values?: Item | undefined };
export type Condition = (item: Item, scope: Scope) => boolean;
export type Update = (item: Item, scope: Scope) => Item;

type Path = (scope: Scope) => Step[];
type Operand = (item: Item, scope: Scope) => AttributeValue | undefined;

export const conditionOf = remembered((text): Condition => new Parser(text).whole((parser) => parser.condition()));
export const updateOf = remembered((text): Update => new Parser(text).whole((parser) => parser.update()));

/** DynamoDB refuses names and values that no expression uses. */
export function refuseUnused(texts: readonly (string | undefined)[], { names = {}, values = {} }: Scope): void {
  const used = new Set(texts.flatMap((text) => (text === undefined ? [] : placeholdersIn(text))));
  const given = [...Object.keys(names), ...Object.keys(values)];
  const unused = given.filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`unused in the expressions: ${unused.join(", ")}`);
  const missing = [...used].filter((name) => !given.includes(name));
  if (missing.length > 0) throw new Error(`not given to the expressions: ${missing.join(", ")}`);
}

const placeholdersIn = remembered((text): string[] => text.match(/[#:]\w+/g) ?? []);

function remembered<T>(compile: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const compiled = known.get(text) ?? compile(text);
    known.set(text, compiled);
    return compiled;
  };
}

const token = /\s*(?:([A-Za-z_]\w*|#\w+|:\w+|\d+)|(<>|<=|>=|[=<>(),.[\]+-]))/y;

class Parser {
  readonly #tokens: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    token.lastIndex = 0;
    for (let end = 0; end < text.trimEnd().length; end = token.lastIndex) {
      const found = token.exec(text);
      if (!found) throw this.#problem(`cannot be read from "${text.slice(end, end + 20)}"`);
      this.#tokens.push(found[1] ?? found[2] ?? "");
    }
  }

  whole<T>(parse: (parser: Parser) => T): T {
    const parsed = parse(this);
    if (this.#peek() !== undefined) throw this.#problem(`"${this.#peek()}" is not expected there`);
    return parsed;
  }

  condition(): Condition {
    const any = this.#separated("OR", () => this.#separated("AND", () => this.#not()));
    return (item, scope) => any.some((all) => all.every((one) => one(item, scope)));
  }

  update(): Update {
    const clauses: Update[] = [];
    while (this.#peek() !== undefined) clauses.push(...this.#clause());
    // Operands are read from the item as it was before the update.
    return (item, scope) =>
      clauses.reduce((changed, clause) => clause(changed, { ...scope, before: item } as Scope), item);
  }

  #clause(): Update[] {
    switch (this.#next().toUpperCase()) {
      case "SET":
        return this.#separated(",", () => {
          const path = this.#path();
          this.#expect("=");
          const value = this.#sum();
          return (item, scope) => put(item, path(scope), present(value(beforeOf(scope, item), scope)));
        });
      case "REMOVE":
        return this.#separated(",", () => {
          const path = this.#path();
          return (item, scope) => put(item, path(scope), undefined);
        });
      case "ADD":
        return this.#separated(",", () => {
          const path = this.#path();
          const value = this.#operand();
          return (item, scope) => {
            const more = number(value(item, scope));
            const held = read(beforeOf(scope, item), path(scope));
            return put(item, path(scope), { N: String((held === undefined ? 0 : number(held)) + more) });
          };
        });
      default:
        throw this.#problem("has a clause other than SET, REMOVE and ADD");
    }
  }

  #sum(): Operand {
    const first = this.#operand();
    const sign = this.#peek();
    if (sign !== "+" && sign !== "-") return first;
    this.#next();
    const second = this.#operand();
    return (item, scope) => {
      const more = number(second(item, scope));
      return { N: String(number(first(item, scope)) + (sign === "+" ? more : -more)) };
    };
  }

  #not(): Condition {
    if (this.#take("NOT")) {
      const inner = this.#not();
      return (item, scope) => !inner(item, scope);
    }
    if (this.#take("(")) {
      const inner = this.condition();
      this.#expect(")");
      return inner;
    }
    const name = this.#peek() ?? "";
    if (name === "attribute_exists" || name === "attribute_not_exists") {
      this.#next();
      this.#expect("(");
      const path = this.#path();
      this.#expect(")");
      return (item, scope) => (read(item, path(scope)) !== undefined) === (name === "attribute_exists");
    }
    if (name === "begins_with") {
      this.#next();
      this.#expect("(");
      const path = this.#path();
      this.#expect(",");
      const start = this.#operand();
      this.#expect(")");
      return (item, scope) => read(item, path(scope))?.S?.startsWith(start(item, scope)?.S ?? "") === true;
    }
    return this.#comparison();
  }

  #comparison(): Condition {
    const left = this.#operand();
    if (this.#take("IN")) {
      this.#expect("(");
      const choices = this.#separated(",", () => this.#operand());
      this.#expect(")");
      return (item, scope) =>
        choices.some((choice) => isDeepStrictEqual(left(item, scope), present(choice(item, scope))));
    }
    if (this.#take("BETWEEN")) {
      const least = this.#operand();
      this.#expect("AND");
      const most = this.#operand();
      return (item, scope) => {
        const value = left(item, scope);
        return compare(value, least(item, scope), ">=") && compare(value, most(item, scope), "<=");
      };
    }
    const sign = this.#next();
    const right = this.#operand();
    return (item, scope) => compare(left(item, scope), right(item, scope), sign);
  }

  #operand(): Operand {
    const name = this.#peek() ?? "";
    if (name.startsWith(":")) {
      this.#next();
      return (_, { values }) => values?.[name];
    }
    if (name === "if_not_exists") {
      this.#next();
      this.#expect("(");
      const path = this.#path();
      this.#expect(",");
      const otherwise = this.#operand();
      this.#expect(")");
      return (item, scope) => read(item, path(scope)) ?? otherwise(item, scope);
    }
    const path = this.#path();
    return (item, scope) => read(item, path(scope));
  }

  #path(): Path {
    const steps: (string | number)[] = [this.#name()];
    for (;;) {
      if (this.#take(".")) steps.push(this.#name());
      else if (this.#take("[")) {
        steps.push(Number(this.#next()));
        this.#expect("]");
      } else break;
    }
    return ({ names }) =>
      steps.map((step) => (typeof step === "string" && step.startsWith("#") ? (names?.[step] ?? step) : step));
  }

  #name(): string {
    const name = this.#next();
    if (!/^#?[A-Za-z_]\w*$/.test(name) || this.#peek() === "(") throw this.#problem(`has "${name}" for a path`);
    return name;
  }

  #separated<T>(separator: string, parse: () => T): T[] {
    const all = [parse()];
    while (this.#take(separator)) all.push(parse());
    return all;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #next(): string {
    const next = this.#tokens[this.#at++];
    if (next === undefined) throw this.#problem("ends too early");
    return next;
  }

  #take(wanted: string): boolean {
    if (this.#peek()?.toUpperCase() !== wanted.toUpperCase()) return false;
    this.#at++;
    return true;
  }

  #expect(wanted: string): void {
    if (!this.#take(wanted)) throw this.#problem(`has "${this.#peek()}" for "${wanted}"`);
  }

  #problem(what: string): Error {
    return new Error(`the expression "${this.#text}" ${what}`);
  }
}

const beforeOf = (scope: Scope, item: Item): Item => (scope as Scope & { before?: Item }).before ?? item;
