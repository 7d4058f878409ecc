import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { APIGatewayProxyEventV2, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { createHandler as createProvision } from "../../functions/provision/handler.ts";
import { renew } from "../../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../../functions/webhook/handler.ts";
import { createSandbox, type Sandbox } from "../../local/simulators/billmgr/index.ts";
import type { OperatorDependencies } from "../../operator/actions/dependencies.ts";
import { breakerIn } from "../../shared/aws/breaker.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { createTable, tableIndexes } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import type { Key } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import { noMetrics } from "../../shared/observability/metrics.ts";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import type { Alteration, Client, Parts, ProvisionDependencies, Trace } from "./alteration.ts";
import { postFrom } from "./billmgr.ts";
import { EventSource } from "./event-source.ts";
import { Faults } from "./faults.ts";
import { Machine, type Process } from "./machine.ts";
import { createMemoryDynamo, type Item, type MemoryDynamo } from "./memory-dynamo.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { Observer, type State } from "./observer.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { Scheduler } from "./scheduler.ts";
import { canary, catalogOf, settingsOf } from "./setup.ts";
import type { Webhook } from "./shop.ts";
import { inputOf, nameOf, titleOf } from "./words.ts";

const provisionMs = 180_000;
const webhookMs = 10_000;
const renewMs = 60_000;
const operatorMs = 600_000;

/** The deployed system: the real code of the functions, with stores in memory and in virtual time. */
export class System {
  readonly scheduler: Scheduler;
  readonly dynamo: MemoryDynamo;
  readonly queue: MemoryQueue;
  readonly source: EventSource;
  readonly sandbox: Sandbox;
  readonly machine: Machine;
  readonly faults: Faults;
  readonly observer: Observer;
  readonly catalog: Catalog;
  readonly profile: Profile;
  /** The password that billmgr accepts, and the one that the secret contains. */
  password = canary.password;
  secretPassword = canary.password;
  /** The table was restored to an earlier moment, or emptied. */
  wasTableLost = false;
  /** Callbacks: a halt, a new attention item, a loss of the table, an order in the cart. */
  onHalt: () => void = () => {};
  onAttention: (key: Key) => void = () => {};
  onTableLoss: () => void = () => {};
  onCart: (order: URLSearchParams) => void = () => {};
  readonly #alteration: Alteration;
  readonly #log: Log;
  readonly #wordOf: (command: object) => string;
  readonly #schedule: Schedule;
  #isOperating = false;

  constructor(profile: Profile, random: Random, start: number, trace: Trace, alteration: Alteration = {}) {
    const batches = random.fork();
    this.#alteration = alteration;
    this.profile = profile;
    this.scheduler = new Scheduler(start, random.fork(), alteration.mostSteps);
    const now = () => this.scheduler.now;
    this.faults = new Faults(profile, random.fork());
    this.machine = new Machine(this.scheduler, random.fork(), this.faults, profile.skewSeconds, trace);
    this.#wordOf = trace ? nameOf : (command) => command.constructor.name;
    this.observer = new Observer(() => this.dynamo, now);
    this.#schedule = new Schedule(this.scheduler, this.observer, (attentionToo) => this.#renew(attentionToo));
    this.catalog = catalogOf(random.fork(), profile);
    const lag = random.fork();
    this.dynamo = createMemoryDynamo({
      indexes: tableIndexes,
      pageSize: profile.pageSize,
      maxItemBytes: 400 * 1024,
      indexLater: (show) => this.scheduler.after(lag.int(0, profile.indexLagSeconds * 1000), show),
      onWrite: (item, key) => this.#written(item, key),
    });
    this.queue = new MemoryQueue({ now, visibilitySeconds: profile.visibilitySeconds, maxReceiveCount: 20 });
    this.source = new EventSource(this, batches, profile.workers, (records) => this.#work(records));
    const settings = settingsOf(random.fork(), profile);
    this.faults.canDetectFalseOk = settings.formHides === undefined;
    this.sandbox = createSandbox({
      now: () => new Date(now()),
      authinfo: () => `reseller:${this.password}`,
      settings,
    });
    this.#log = this.#logOf(trace);
  }

  /** Delivers a webhook once. `answered` receives the status, or undefined when no answer came. */
  deliver({ path, body, headers }: Webhook, answered: (status: number | undefined) => void): void {
    const process = this.machine.start("webhook");
    const send = sendTo(this.#queueClient(process), "queue");
    // The clock of the process only affects the check of the age of a signature.
    const handler = createWebhook({
      secrets: async () => ({ billmgr: "", storefronts: { standard: [canary.signing], stripe: [canary.signing] } }),
      send: this.#alteration.webhookSend?.(send) ?? send,
      isFresh: freshAt(() => process.now().getTime()),
      now: process.now,
      log: this.#log,
      metrics: noMetrics,
    });
    const event = {
      requestContext: { http: { method: "POST" } },
      rawPath: path,
      headers,
      body,
    } as unknown as APIGatewayProxyEventV2;
    this.#run(process, webhookMs, () => handler(event)).then((result) => {
      if (result) this.observer.seen("a reply", result.body ?? "");
      answered(result?.statusCode);
    });
  }

  #work(Records: SQSRecord[]): Promise<SQSBatchResponse | undefined> {
    const process = this.machine.start("worker");
    const ends = this.scheduler.now + provisionMs;
    this.machine.trace?.(process.name, `takes ${Records.map(({ body }) => titleOf(body)).join(", ")}`);
    const deps = this.#dependenciesOf(process);
    const built = createProvision(this.#alteration.provisionDependencies?.(deps) ?? deps);
    const handler = this.#alteration.handler?.(built, this.#partsOf(process)) ?? built;
    const context = { getRemainingTimeInMillis: () => ends - this.scheduler.now };
    return this.#run(process, provisionMs, () => handler({ Records } as SQSEvent, context));
  }

  #partsOf(process: Process): Parts {
    const authinfo = async () => `reseller:${this.secretPassword}`;
    return { client: this.#tableClient(process), post: postFrom(process, this), authinfo };
  }

  #dependenciesOf(process: Process): ProvisionDependencies {
    const { client, post, authinfo } = this.#partsOf(process);
    const table = createTable(client, "table");
    const queue = this.#queueClient(process);
    const breaker = breakerIn(table, process.now, this.#log);
    return {
      table,
      billmgr: createBillmgr(post, authinfo, { breaker, fundsErrors: this.catalog.billmgr.fundsErrors }),
      catalog: this.catalog,
      send: sendTo(queue, "queue"),
      returnSoon: returnSoonTo(queue, "queue"),
      now: process.now,
      log: this.#log,
      metrics: noMetrics,
    };
  }

  /** Returns the result of a function, or undefined when it fails or dies. It dies at the time limit at the latest. */
  #run<T>(process: Process, limitMs: number, handle: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      process.onDeath = () => resolve(undefined);
      this.scheduler.after(limitMs, () => !process.ended && process.die("time limit"));
      handle().then(
        (result) => {
          process.ended = true;
          resolve(result);
        },
        (error: unknown) => {
          this.observer.seen("an error", String(error));
          process.die(`fails: ${error}`);
        },
      );
    });
  }

  #renew(attentionToo: boolean): Promise<unknown> {
    const process = this.machine.start("renew");
    const deps = {
      table: createTable(this.#tableClient(process), "table"),
      send: sendTo(this.#queueClient(process), "queue"),
      now: process.now,
      log: this.#log,
      metrics: noMetrics,
    };
    return this.#run(process, renewMs, () => renew(deps, () => renewMs, attentionToo));
  }

  #written(item: Item | undefined, { pk, sk }: Item): void {
    if (item) this.observer.seen(`the item ${pk?.S} ${sk?.S}`, item);
    if (item && sk?.S === "halt") this.onHalt();
    if (sk?.S === "state" && !item) this.observer.removed(pk?.S ?? "");
    if (sk?.S !== "state" || !item) return;
    this.observer.stored(item);
    const agenda = item.agenda?.S;
    if (agenda?.startsWith("due#")) this.#schedule.dueAt(Date.parse(item.agendaAt?.S ?? ""));
    if (item.attention?.S) {
      this.onAttention(pk?.S as Key);
      this.#schedule.needsAttention();
    }
  }

  /** A message is queued, a subscription is due, or an operation is open that needs no attention. */
  isAtWork(): boolean {
    const now = toInstant(this.scheduler.now);
    const isOpen = ({ agenda, agendaAt = now, attention, subscription: { operation } }: State) =>
      (agenda !== undefined && agendaAt <= now) || (!attention && operation && operation.state !== "finished");
    return this.queue.size() > 0 || this.observer.states().some(isOpen);
  }

  /** No work is open, and billmgr cannot act late on a call. Only then can an operator restore the table. */
  isQuiet(): boolean {
    const now = this.scheduler.now;
    const isCalled = this.observer.calls.some(({ actsUntil }) => actsUntil + 60_000 > now);
    return !isCalled && !this.isAtWork() && !this.#isOperating && !this.observer.states().some((s) => s.attention);
  }

  /** All operations: the finished ones in the log, and the open ones in the states. */
  operations(): Operation[] {
    const logged = this.dynamo.items().filter(({ sk }) => sk?.S?.startsWith("operation#"));
    const open = this.observer.states().flatMap(({ subscription: { operation } }) => operation ?? []);
    return [...logged.map((item) => unmarshall(item) as unknown as Operation), ...open];
  }

  /** Runs a command of an operator, as `npm run ops` does. Returns false when it fails. */
  async operate(act: (deps: OperatorDependencies) => Promise<unknown>): Promise<boolean> {
    const process = this.machine.start("operator");
    this.#isOperating = true;
    const done = await this.#run(process, operatorMs, async () => {
      await act(this.#dependenciesOf(process)).catch((error: unknown) => {
        this.observer.seen("an error", String(error));
        this.machine.trace?.(process.name, `fails: ${error}`);
        throw error;
      });
      return true;
    });
    this.#isOperating = false;
    return done === true;
  }

  #tableClient(process: Process): Client {
    const send = (command: object) =>
      this.machine.request(process, this.#wordOf(command), () => {
        if (command instanceof GetItemCommand && command.input.Key?.sk?.S === "halt") this.observer.readsHalt(process);
        return this.dynamo.perform(command);
      });
    const client = { send } as unknown as Client;
    return this.#alteration.client?.(client) ?? client;
  }

  #queueClient(process: Process) {
    const send = (command: object) =>
      this.machine.request(process, this.#wordOf(command), () => {
        this.observer.seen("a message", command instanceof ChangeMessageVisibilityCommand ? "" : inputOf(command));
        const result = this.queue.perform(command);
        this.scheduler.after(0, () => this.source.poke());
        return result;
      });
    return { send } as unknown as MemoryQueue["client"];
  }

  #logOf(trace: Trace): Log {
    const write = (message: string, fields: Record<string, unknown>) => {
      const line = `${message} ${JSON.stringify(fields)}`;
      this.observer.seen("the log", line);
      trace?.("log", line);
    };
    return { info: write, warn: write, error: write };
  }
}
