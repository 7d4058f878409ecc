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

/** Modules of which a breakage replaces exports; what it is given are the real ones. */
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
  /** A violation that shows it, where others would only show that something differs. */
  by?: RegExp;
  /** A seed at or after which it was found before. */
  from?: number;
};

const half = 31 * 60_000;

/** Ways in which the protocol could be wrong, each of which must be found. */
export const breakages: Breakage[] = [
  {
    what: "calls first, and writes the claim after it",
    alteration: {
      provisionWorld: (world) => {
        let claim: (() => Promise<unknown>) | undefined;
        return {
          ...world,
          table: {
            ...world.table,
            save: async (key, stored) => {
              const { operation } = stored.subscription;
              if (operation?.state !== "claimed" || operation.attempt?.endedAt) return world.table.save(key, stored);
              claim = () => world.table.save(key, stored);
              return { ...stored, version: stored.version + 1 };
            },
          },
          billmgr: {
            ...world.billmgr,
            call: async (...args) => {
              const came = await world.billmgr.call(...args);
              await claim?.();
              return came;
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
    what: "calls again what a dead worker had claimed, instead of reading",
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
    what: "asks something else before the id of an order is stored",
    alteration: {
      provisionWorld: (world) => ({
        ...world,
        billmgr: {
          ...world.billmgr,
          call: async (...args) => {
            const came = await world.billmgr.call(...args);
            await world.billmgr.balance().catch(() => {});
            return came;
          },
        },
      }),
    },
  },
  {
    what: "believes an absence at the first look",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, sighting) =>
          real.recordObservation(seenBefore(subscription, sighting), sighting),
      }),
    },
  },
  {
    what: "believes the absence of what was no purchase at the first look",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, sighting) => {
          const kind = subscription.operation?.change.kind;
          const isPurchase = kind === "order" || kind === "prolong";
          return real.recordObservation(isPurchase ? subscription : seenBefore(subscription, sighting), sighting);
        },
      }),
    },
  },
  {
    what: "believes a list that shows no license known to be ours",
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, sighting) =>
          real.recordObservation(subscription, { ...sighting, provesAbsence: true }),
      }),
    },
  },
  {
    what: "saves whatever version is stored",
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
    what: "does not look whether all calls are halted",
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
    what: "takes a deleted license for one that is there",
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
    what: "takes every error for a refusal",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const came = real.outcomeOf(...args);
          const [, type] = /^error (\w+)/.exec(came.response) ?? [];
          return came.outcome === "unknown" && type
            ? { outcome: "refused", response: came.response, error: { type } }
            : came;
        },
      }),
    },
  },
  {
    what: "takes an order in the basket for one that is not there",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const { inCart, ...came } = real.outcomeOf(...args) as CallOutcome & { inCart?: boolean };
          return came as CallOutcome;
        },
      }),
    },
  },
  {
    what: "believes an ok, and does not compare the expiry",
    modules: {
      readback: (real) => ({
        readBack: async (operation, known, billmgr) =>
          operation.change.kind === "prolong" && operation.state === "unconfirmed"
            ? { verdict: "achieved", evidence: "billmgr said ok", expiry: operation.change.expiry }
            : real.readBack(operation, known, billmgr),
      }),
    },
  },
  {
    what: "adds each delivery of a payment anew",
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
    what: "looks for what a refund belongs to only when a link arrives",
    alteration: {
      provisionWorld: (world) => ({ ...world, table: { ...world.table, link: async () => undefined } }),
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
    what: "tells the queue that a message which failed is done",
    alteration: {
      handler:
        (handler) =>
        async (...args) => ({ ...(await handler(...args)), batchItemFailures: [] }),
    },
  },
];

/** What the caller is told instead of what came of a call. */
function calling(change: (came: CallOutcome, again: () => Promise<CallOutcome>) => Promise<CallOutcome>): Alteration {
  return {
    provisionWorld: (world) => ({
      ...world,
      billmgr: {
        ...world.billmgr,
        call: async (...args) => change(await world.billmgr.call(...args), () => world.billmgr.call(...args)),
      },
    }),
  };
}

type Subscription = Parameters<typeof progress.recordObservation>[0];

/** As if the same had been seen twice before, over half an hour. */
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

/** Sends a command with another input, where one is given. */
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
