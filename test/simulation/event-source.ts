import { DeleteMessageCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Faults } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { MemoryQueue } from "./memory-queue.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

type Dependencies = {
  queue: MemoryQueue;
  scheduler: Scheduler;
  machine: Pick<Machine, "trace">;
  faults: Pick<Faults, "atEdge">;
};

/** Lambda's event source mapping: passes batches to free workers, and deletes the messages that they have processed. */
export class EventSource {
  readonly #deps: Dependencies;
  readonly #random: Pick<Random, "int">;
  readonly #work: (records: SQSRecord[]) => Promise<SQSBatchResponse | undefined>;
  #freeWorkers: number;
  #pokeAt = Number.POSITIVE_INFINITY;

  /** @param work returns undefined when the worker failed or died */
  constructor(
    deps: Dependencies,
    random: Pick<Random, "int">,
    workers: number,
    work: (records: SQSRecord[]) => Promise<SQSBatchResponse | undefined>,
  ) {
    this.#deps = deps;
    this.#random = random;
    this.#freeWorkers = workers;
    this.#work = work;
  }

  /** Receives all visible messages, and polls again when one becomes visible. */
  poke(): void {
    while (this.#freeWorkers > 0 && this.#deps.queue.hasVisible) {
      const MaxNumberOfMessages = this.#random.int(1, 10);
      const received = this.#deps.queue.perform(new ReceiveMessageCommand({ QueueUrl: "queue", MaxNumberOfMessages }));
      const { Messages = [] } = received as { Messages?: Message[] };
      if (Messages.length > 0) this.#hand(Messages.map(recordOf));
    }
    const next = this.#deps.queue.nextVisibleAt();
    if (next === undefined || (next >= this.#pokeAt && this.#pokeAt > this.#deps.scheduler.now)) return;
    this.#pokeAt = next;
    this.#deps.scheduler.at(next, () => this.poke());
  }

  #hand(records: SQSRecord[]): void {
    this.#freeWorkers--;
    void this.#work(records).then((result) => {
      this.#freeWorkers++;
      const failed = new Set(result?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      const done = result ? records.filter(({ messageId }) => !failed.has(messageId)) : [];
      this.#deps.machine.trace?.("queue", `${done.length} of ${records.length} are done`);
      for (const { receiptHandle } of done) this.#delete(receiptHandle);
      this.poke();
    });
  }

  /** The queue delivers a message again if this fails. */
  #delete(ReceiptHandle: string): void {
    if (this.#deps.faults.atEdge()) return;
    try {
      this.#deps.queue.perform(new DeleteMessageCommand({ QueueUrl: "queue", ReceiptHandle }));
    } catch (error) {
      this.#deps.machine.trace?.("queue", `keeps a message: ${(error as Error).name}`);
    }
  }
}

const recordOf = ({ MessageId, ReceiptHandle, Body, Attributes }: Message) =>
  ({ messageId: MessageId, receiptHandle: ReceiptHandle, body: Body, attributes: Attributes }) as unknown as SQSRecord;
