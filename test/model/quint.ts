// Executes a Quint model by the evaluator of Quint's own package, step by step and choice by choice.
import type { LookupTable, QuintEx, QuintModule, QuintOpDef } from "@informalsystems/quint";
import type { RuntimeValue } from "@informalsystems/quint/dist/src/runtime/impl/runtimeValue.js";

// Quint replaces a pick that leads nowhere by another one; here each pick is enumerated.
process.env.QUINT_RETRY_NONDET_SMALLER_THAN = "0";
const { analyzeModules, expressionToString, fileSourceResolver, newIdGenerator, parse } = await import(
  "@informalsystems/quint"
);
const { Builder, buildExpr } = await import("@informalsystems/quint/dist/src/runtime/impl/builder.js");
const { Context } = await import("@informalsystems/quint/dist/src/runtime/impl/Context.js");
const { newTraceRecorder } = await import("@informalsystems/quint/dist/src/runtime/trace.js");
const { newRng } = await import("@informalsystems/quint/dist/src/rng.js");

const ids = newIdGenerator();

export type Source = { module: QuintModule; table: LookupTable };

/** Parses and type checks a text of one module. @throws Error that says what is wrong in it */
export function readModel(text: string): Source {
  const path = fileSourceResolver().lookupPath(".", "model.qnt");
  const { modules, table, errors } = parse(ids, path.toSourceName(), path, text);
  const [module] = modules;
  const problems = errors.length > 0 ? errors : analyzeModules(table, modules)[0];
  if (!module || problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  return { module, table };
}

export type State = RuntimeValue;
export type Constants = Record<string, number | boolean>;
/** A number, a boolean, or the name of a variant. */
export type Argument = number | boolean | string;
/** `action`: with its arguments. */
export type Step = { name: string; action: string; state: State };

/** A model under values of its constants, executed by Quint's own evaluator. */
export class Model {
  readonly initial: State;
  readonly actions: readonly string[];
  readonly #builder: InstanceType<typeof Builder>;
  readonly #context: InstanceType<typeof Context>;
  readonly #definitions: ReadonlyMap<string, QuintOpDef>;
  readonly #alternatives: readonly { name: string; isEnabled: () => boolean }[];
  /** The picks where the model leaves a choice. `#bounds` has the number of alternatives of each. */
  #picks: number[] = [];
  #bounds: number[] = [];

  constructor({ module, table }: Source, constants: Constants) {
    this.#builder = new Builder(table, false);
    this.#context = new Context(newTraceRecorder(0, newRng()), (bound) => this.#pick(bound), this.#builder.varStorage);
    this.#definitions = new Map(module.declarations.flatMap((one) => (one.kind === "def" ? [[one.name, one]] : [])));
    for (const { kind, id, name } of module.declarations.flatMap((one) => (one.kind === "const" ? [one] : []))) {
      const value = constants[name];
      if (value === undefined) throw new Error(`the ${kind} ${name} has no value`);
      this.#builder.registerForConst(id, name).value = buildExpr(this.#builder, this.#literal(value))(this.#context);
    }
    const step = this.#definition("step").expr;
    const expressions = step.kind === "app" ? step.args : [];
    this.#alternatives = expressions.map((one) => ({ name: nameOf(one), isEnabled: this.#build(one) }));
    this.actions = this.#alternatives.map(({ name }) => name);
    if (!this.#build(this.#definition("init").expr)()) throw new Error("init is not enabled");
    this.initial = this.#next();
  }

  /** Each step that the model allows. */
  *successors(state: State): Generator<Step> {
    for (const { name, isEnabled } of this.#alternatives) {
      this.#picks = [];
      do {
        this.#bounds = [];
        this.#builder.varStorage.fromRecord(state);
        this.#builder.varStorage.nondetPicks.clear();
        if (isEnabled()) yield { name, action: `${name}(${this.#pickedValues()})`, state: this.#next() };
      } while (this.#advance());
    }
  }

  /** The state after one action, or undefined where the model does not allow it. */
  after(state: State, action: string, ...args: readonly Argument[]): State | undefined {
    const id = this.#idOf(action);
    const literals = args.map((one) => this.#literal(one));
    const call: QuintEx =
      args.length > 0 ? { id, kind: "app", opcode: action, args: literals } : { id, kind: "name", name: action };
    this.#builder.varStorage.fromRecord(state);
    return this.#build(call)() ? this.#next() : undefined;
  }

  /** @returns a test of one property */
  property(name: string): (state: State) => boolean {
    const isTrue = this.#build(this.#definition(name).expr);
    return (state) => {
      this.#builder.varStorage.fromRecord(state);
      return isTrue();
    };
  }

  #pick(bound: bigint): bigint {
    const at = this.#bounds.push(Number(bound)) - 1;
    this.#picks[at] ??= 0;
    return BigInt(this.#picks[at]);
  }

  /** Turns to the next picks, like an odometer. @returns false once all were made */
  #advance(): boolean {
    const last = this.#bounds.findLastIndex((bound, i) => (this.#picks[i] ?? 0) + 1 < bound);
    this.#picks = this.#picks.slice(0, last + 1).map((pick, i) => (i === last ? pick + 1 : pick));
    return last >= 0;
  }

  /** The inner pick is stored first. */
  #pickedValues(): string {
    const values = [...this.#builder.varStorage.nondetPicks.values()].reverse();
    return values.map((value) => (value ? format(value) : "")).join(", ");
  }

  #next(): State {
    const { varStorage } = this.#builder;
    varStorage.shiftVars();
    return varStorage.asRecord();
  }

  #build(expression: QuintEx): () => boolean {
    const evaluate = buildExpr(this.#builder, expression);
    return () => {
      const result = evaluate(this.#context);
      if (result.isLeft()) throw new Error(result.value.message);
      return result.unwrap().toBool();
    };
  }

  #definition(name: string): QuintOpDef {
    const definition = this.#definitions.get(name);
    if (!definition) throw new Error(`the model does not define ${name}`);
    return definition;
  }

  /** An id by which the evaluator finds the definition. */
  #idOf(name: string): bigint {
    const id = ids.nextId();
    this.#builder.table.set(id, this.#definition(name));
    return id;
  }

  #literal(value: Argument): QuintEx {
    if (typeof value === "string") return { id: this.#idOf(value), kind: "name", name: value };
    const id = ids.nextId();
    return typeof value === "boolean" ? { id, kind: "bool", value } : { id, kind: "int", value: BigInt(value) };
  }
}

export const format = (state: State): string => expressionToString(state.toQuintEx(ids));

/** The action under the picks of its arguments. */
function nameOf(expression: QuintEx): string {
  if (expression.kind === "let") return nameOf(expression.expr);
  return expression.kind === "app" ? expression.opcode : expressionToString(expression);
}
