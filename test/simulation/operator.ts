import { isDeepStrictEqual } from "node:util";
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import type { Operation } from "../../shared/licensing/operation.ts";
import { isInFlight, type State } from "./observer.ts";
import type { Random } from "./random.ts";
import type { System } from "./system.ts";

const hour = 3_600_000;

/** The person who does what docs/operating.md says, some hours late. */
export class Operator {
  readonly #system: System;
  readonly #random: Random;
  readonly #visits = new Map<string, number>();
  readonly #planned = new Set<string>();
  readonly #baskets = new Set<URLSearchParams>();

  constructor(system: System, random: Random) {
    this.#system = system;
    this.#random = random;
    system.onHalt = () => this.#later(() => this.#mendPassword());
    system.onBasket = (form) => {
      this.#baskets.add(form);
      this.#later(() => this.#payOrEmpty(form));
    };
    system.onAttention = (key) => this.#planVisit(key);
  }

  /** Once the faults are over, what they left behind is mended. */
  cleanUp(): void {
    this.#system.sandbox.configure({ balance: 1_000_000 });
    this.#mendPassword();
    this.redrive();
    for (const { key, agenda } of this.#system.observer.states()) if (agenda === "attention") this.#planVisit(key);
  }

  redrive(): void {
    this.#system.queue.redrive();
    this.#system.source.poke();
  }

  changePassword(): void {
    this.#system.password = `${this.#system.password}-2`;
  }

  topUp(): void {
    this.#system.sandbox.configure({ balance: 1_000_000 });
  }

  #later(act: () => void): void {
    this.#system.scheduler.after(this.#random.between(0.5, 10) * hour, act);
  }

  /** A person pays what the system says lies in the basket, or empties it; what it does not know of stays there. */
  #payOrEmpty(form: URLSearchParams): void {
    this.#baskets.delete(form);
    const { authinfo, ...params } = Object.fromEntries(form);
    const known = this.#system.operations().some(({ attempt }) => {
      return /basket/.test(attempt?.said ?? "") && isDeepStrictEqual(attempt?.params, params);
    });
    if (!known || this.#random.chance(0.5)) return;
    this.#system.machine.trace?.("operator", `pays for ${params.func} ${params.comment ?? params.elid}`);
    this.topUp();
    const paid = new URLSearchParams({ ...params, authinfo: `reseller:${this.#system.password}` });
    void this.#system.sandbox.post(() => {})(paid, 0);
  }

  #mendPassword(): void {
    this.#system.secretPassword = this.#system.password;
    this.#system.liftHalt();
  }

  #planVisit(key: string): void {
    const visits = this.#visits.get(key) ?? 0;
    if (visits >= mostVisits || this.#planned.has(key)) return;
    this.#visits.set(key, visits + 1);
    this.#planned.add(key);
    this.#system.scheduler.after(this.#random.between(1, 20) * hour, () => {
      this.#planned.delete(key);
      const state = this.#system.observer.states().find((one) => one.key === key);
      if (state?.agenda !== "attention") return;
      this.#system.machine.trace?.("operator", `looks after ${key}: ${state.reason}`);
      if (/funds/.test(state.reason ?? "")) this.topUp();
      if (this.#isLost(state)) this.#giveUp(state);
      else this.#retry(state);
    });
  }

  /** What did not come about, as billmgr shows to whoever looks in there. */
  #isLost({ key, subscription: { operation } }: State): boolean {
    if (operation?.state !== "unknown" && operation?.state !== "unconfirmed") return false;
    const { sandbox, observer, scheduler } = this.#system;
    if (observer.calls.some((call) => call.key === key && isInFlight(call, scheduler.now))) return false;
    const { change, attempt, before } = operation;
    const [name, value] = change.kind === "order" ? ["comment", attempt?.params.comment] : ["elid", change.elid];
    if ([...this.#baskets].some((form) => form.get(name as string) === value)) return false;
    const license = sandbox
      .licenses()
      .find(({ id, remoteid }) =>
        change.kind === "order" ? remoteid === attempt?.params.comment : id === change.elid,
      );
    if (change.kind === "order") return license === undefined;
    return change.kind !== "prolong" || license?.expiry === before.expiry;
  }

  /** "Retry, or wake, a subscription" */
  #retry({ key }: State): void {
    this.#update(
      key,
      "attribute_exists(pk)",
      "SET agenda = :due, agendaAt = :now REMOVE subscription.attention, subscription.pause ADD version :one",
      { ":due": "due#0", ":now": this.#now(), ":one": 1 },
    );
  }

  /** "An order that was lost" */
  #giveUp({ key }: State): void {
    const { dynamo } = this.#system;
    const read = dynamo.perform(new GetItemCommand({ TableName: "table", Key: keyOf(key) })) as {
      Item: State & object;
    };
    const state = unmarshall(read.Item as unknown as Parameters<typeof unmarshall>[0]) as State;
    const { due, ...operation } = state.subscription.operation as Operation;
    const put = { pk: key, sk: `operation#${String(operation.n).padStart(6, "0")}`, schema: 1 };
    const Item = marshall({ ...operation, ...put, state: "finished", outcome: "gave_up" });
    dynamo.perform(new PutItemCommand({ TableName: "table", Item }));
    this.#update(
      key,
      "subscription.operation.n = :n AND subscription.operation.#state IN (:unknown, :unconfirmed)",
      "SET agenda = :due, agendaAt = :now, subscription.operation.#state = :finished, subscription.operation.#outcome = :gaveUp REMOVE subscription.operation.due, subscription.attention, subscription.pause ADD version :one",
      {
        ":n": operation.n,
        ":unknown": "unknown",
        ":unconfirmed": "unconfirmed",
        ":finished": "finished",
        ":gaveUp": "gave_up",
        ":due": "due#0",
        ":now": this.#now(),
        ":one": 1,
      },
      { "#state": "state", "#outcome": "outcome" },
    );
  }

  #update(
    key: string,
    ConditionExpression: string,
    UpdateExpression: string,
    values: Record<string, unknown>,
    names?: Record<string, string>,
  ): void {
    this.#system.dynamo.perform(
      new UpdateItemCommand({
        TableName: "table",
        Key: keyOf(key),
        ConditionExpression,
        UpdateExpression,
        ExpressionAttributeValues: marshall(values),
        ...(names && { ExpressionAttributeNames: names }),
      }),
    );
  }

  #now = (): string => new Date(this.#system.scheduler.now).toISOString();
}

const mostVisits = 12;

const keyOf = (key: string) => marshall({ pk: key, sk: "state" });
