import { GetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type * as billmgr from "../../shared/billmgr/billmgr.ts";
import type * as license from "../../shared/billmgr/license.ts";
import type * as outcome from "../../shared/billmgr/outcome.ts";
import type * as readback from "../../shared/billmgr/readback.ts";
import type * as attention from "../../shared/licensing/attention.ts";
import type * as coverage from "../../shared/licensing/coverage.ts";
import type * as next from "../../shared/licensing/decide.ts";
import type * as fold from "../../shared/licensing/fold.ts";
import type * as operation from "../../shared/licensing/operation.ts";
import type { CallOutcome } from "../../shared/licensing/operation.ts";
import type * as progress from "../../shared/licensing/operation-lifecycle.ts";
import type * as repair from "../../shared/licensing/repair.ts";
import type { Alteration } from "./alteration.ts";

/** The real modules. A breakage can replace their exports. */
export type Modules = {
  attention: typeof attention;
  billmgr: typeof billmgr;
  coverage: typeof coverage;
  license: typeof license;
  repair: typeof repair;
  fold: typeof fold;
  next: typeof next;
  operation: typeof operation;
  outcome: typeof outcome;
  progress: typeof progress;
  readback: typeof readback;
};
export type Replaced = { [Name in keyof Modules]?: (real: Modules[Name]) => Partial<Modules[Name]> };

export type Breakage = {
  what: string;
  /** The number under which it was found in the first edition. */
  finding?: string;
  alteration?: Alteration;
  modules?: Replaced;
  /** The violation must match this, if other violations would not prove that the breakage was found. */
  by?: RegExp;
  /** The first seed to try: an earlier run found the breakage soon after it. */
  from?: number;
};

const half = 31 * 60_000;

/** Ways to break the protocol. The simulation must find each. */
export const breakages: Breakage[] = [
  {
    what: "calls before it writes the claim",
    alteration: {
      provisionDependencies: (deps) => {
        let claim: (() => Promise<unknown>) | undefined;
        return {
          ...deps,
          table: {
            ...deps.table,
            save: async (key, stored) => {
              const { operation } = stored.subscription;
              if (operation?.state !== "claimed" || operation.attempt?.endedAt) return deps.table.save(key, stored);
              claim = () => deps.table.save(key, stored);
              return { ...stored, version: stored.version + 1 };
            },
          },
          billmgr: {
            ...deps.billmgr,
            call: async (...args) => {
              const result = await deps.billmgr.call(...args);
              await claim?.();
              return result;
            },
          },
        };
      },
    },
  },
  {
    what: "repeats a call whose outcome is unknown",
    alteration: calling(async (call, again) => (call.outcome === "unknown" ? again() : call)),
  },
  {
    what: "repeats the call of a dead worker instead of reading first",
    modules: {
      next: (real) => ({
        decide: (subscription, ...rest) => {
          const { operation } = subscription;
          const isLeft = operation?.state === "claimed" && operation.due !== undefined && operation.due <= rest[1];
          return real.decide(
            isLeft ? { ...subscription, operation: { ...operation, state: "finished" } } : subscription,
            ...rest,
          );
        },
      }),
    },
  },
  {
    what: "sends another request before it stores the id of an order",
    alteration: {
      provisionDependencies: (deps) => ({
        ...deps,
        billmgr: {
          ...deps.billmgr,
          call: async (...args) => {
            const result = await deps.billmgr.call(...args);
            await deps.billmgr.balance().catch(() => {});
            return result;
          },
        },
      }),
    },
  },
  {
    what: "accepts an absence after one observation",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, observation) =>
          real.recordObservation(seenBefore(subscription, observation), observation),
      }),
    },
  },
  {
    what: "accepts the absence of a change that is no purchase after one observation",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, observation) => {
          const kind = subscription.operation?.change.kind;
          const isPurchase = kind === "order" || kind === "prolong";
          return real.recordObservation(isPurchase ? subscription : seenBefore(subscription, observation), observation);
        },
      }),
    },
  },
  {
    what: "accepts a list that shows no known license as proof of absence",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, observation) =>
          real.recordObservation(subscription, { ...observation, provesAbsence: true }),
      }),
    },
  },
  {
    what: "saves without comparing the stored version",
    alteration: {
      client: withInput(
        PutItemCommand,
        (input) =>
          input.Item?.sk?.S === "state" && {
            ...input,
            ConditionExpression: undefined,
            ExpressionAttributeValues: undefined,
          },
      ),
    },
  },
  {
    what: "does not read whether all calls are halted",
    alteration: {
      client: withInput(
        GetItemCommand,
        (input) => input.Key?.sk?.S === "halt" && { ...input, Key: { ...input.Key, sk: { S: "no halt" } } },
      ),
    },
  },
  {
    what: "counts orders past the limit",
    alteration: {
      client: withInput(
        UpdateItemCommand,
        (input) =>
          input.Key?.sk?.S?.startsWith("orders#") === true && {
            ...input,
            ConditionExpression: undefined,
            ExpressionAttributeValues: Object.fromEntries(
              Object.entries(input.ExpressionAttributeValues ?? {}).filter(([name]) => name !== ":limit"),
            ),
          },
      ),
    },
  },
  {
    what: "gives all licenses of a subscription one reference",
    modules: {
      operation: (real) => ({ referenceOf: (subscription) => real.referenceOf(subscription, { n: 1, generation: 1 }) }),
    },
  },
  {
    what: "treats a deleted license as an existing one",
    modules: {
      readback: (real) => ({
        readBack: (operation, known, billmgr) =>
          real.readBack(operation, known, {
            ...billmgr,
            licenses: async (family) => {
              const listing = await billmgr.licenses(family);
              return { ...listing, rows: listing.rows.map((row) => ({ ...row, status: "active" as const })) };
            },
          }),
      }),
    },
  },
  {
    what: "treats every error as a refusal",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const result = real.outcomeOf(...args);
          const [, type] = /^error (\w+)/.exec(result.response) ?? [];
          return result.outcome === "unknown" && type
            ? { outcome: "refused", response: result.response, error: { type } }
            : result;
        },
      }),
    },
  },
  {
    what: "treats an order in the cart as one that does not exist",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const { inCart, ...result } = real.outcomeOf(...args) as CallOutcome & { inCart?: boolean };
          return result as CallOutcome;
        },
      }),
    },
  },
  {
    what: "trusts an ok without comparing the expiry",
    modules: {
      readback: (real) => ({
        readBack: async (operation, known, billmgr) =>
          operation.change.kind === "prolong" && operation.state === "unconfirmed"
            ? { verdict: "achieved", evidence: "billmgr answered ok", expiry: operation.change.expiry }
            : real.readBack(operation, known, billmgr),
      }),
    },
  },
  {
    what: "adds a payment again at each delivery",
    modules: {
      fold: (real) => {
        let deliveries = 0;
        return {
          fold: (subscription, event) =>
            real.fold(
              subscription,
              event.type === "payment.succeeded" ? { ...event, payment: `${event.payment} ${++deliveries}` } : event,
            ),
        };
      },
    },
  },
  {
    what: "looks for the payment of a refund only when a link arrives",
    alteration: {
      provisionDependencies: (deps) => ({ ...deps, table: { ...deps.table, link: async () => undefined } }),
    },
  },
  {
    what: "answers 200 before the event is queued",
    alteration: {
      webhookSend: (send) => async (messages) => {
        send(messages).catch(() => {});
      },
    },
  },
  {
    what: "reports a failed message to the queue as processed",
    alteration: {
      handler:
        (handler) =>
        async (...args) => ({ ...(await handler(...args)), batchItemFailures: [] }),
    },
  },
];

/** Replaces the outcome of each call. */
function calling(change: (result: CallOutcome, again: () => Promise<CallOutcome>) => Promise<CallOutcome>): Alteration {
  return {
    provisionDependencies: (deps) => ({
      ...deps,
      billmgr: {
        ...deps.billmgr,
        call: async (...args) => change(await deps.billmgr.call(...args), () => deps.billmgr.call(...args)),
      },
    }),
  };
}

type Subscription = Parameters<typeof progress.recordObservation>[0];

/** The subscription as it would be after the same observation twice before, over half an hour. */
function seenBefore(
  subscription: Subscription,
  { at, verdict, evidence, provesAbsence }: Parameters<typeof progress.recordObservation>[1],
): Subscription {
  const { operation } = subscription;
  if (!operation || operation.state === "unconfirmed" || verdict !== "absent") return subscription;
  const earlier = new Date(Date.parse(at) - half).toISOString();
  const observation = {
    at: earlier,
    verdict,
    evidence: evidence,
    ...(provesAbsence !== undefined && { provesAbsence }),
  };
  const attempt = operation.attempt && { ...operation.attempt, endedAt: earlier };
  return {
    ...subscription,
    operation: {
      ...operation,
      observations: [observation, observation],
      claimedAt: earlier,
      ...(attempt && { attempt }),
    },
  };
}

type Built<Input> = { new (input: Input): { input: Input } };

/** Replaces the input of one kind of command, unless `change` returns false. */
function withInput<Input extends object>(
  Command: Built<Input>,
  change: (input: Input) => object | false,
): NonNullable<Alteration["client"]> {
  return (client) => {
    const send = (command: object) => {
      const changed = command instanceof Command && change(command.input);
      const stated = changed && Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
      return client.send((stated ? new Command(stated as Input) : command) as Parameters<typeof client.send>[0]);
    };
    return { send } as unknown as typeof client;
  };
}
