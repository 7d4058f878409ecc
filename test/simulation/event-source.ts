import { DeleteMessageCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Faults } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { MemoryQueue } from "./memory-queue.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

type World = {
  queue: MemoryQueue;
  scheduler: Scheduler;
  machine: Pick<Machine, "trace">;
  faults: Pick<Faults, "atEdge">;
};

/** Lambda's event source mapping: hands batches to workers that are free, and deletes what they have done. */
export class EventSource {
  readonly #world: World;
  readonly #random: Pick<Random, "int">;
  readonly #work: (records: SQSRecord[]) => Promise<SQSBatchResponse | undefined>;
  #freeWorkers: number;
  #pokeAt = Number.POSITIVE_INFINITY;

  /** @param work gives undefined when the worker failed or died */
  constructor(
    world: World,
    random: Pick<Random, "int">,
    workers: number,
    work: (records: SQSRecord[]) => Promise<SQSBatchResponse | undefined>,
  ) {
    this.#world = world;
    this.#random = random;
    this.#freeWorkers = workers;
    this.#work = work;
  }

  /** Takes what there is, and again when something comes back. */
  poke(): void {
    while (this.#freeWorkers > 0 && this.#world.queue.hasVisible) {
      const MaxNumberOfMessages = this.#random.int(1, 10);
      const received = this.#world.queue.perform(new ReceiveMessageCommand({ QueueUrl: "queue", MaxNumberOfMessages }));
      const { Messages = [] } = received as { Messages?: Message[] };
      if (Messages.length > 0) this.#hand(Messages.map(recordOf));
    }
    const next = this.#world.queue.nextVisibleAt();
    if (next === undefined || (next >= this.#pokeAt && this.#pokeAt > this.#world.scheduler.now)) return;
    this.#pokeAt = next;
    this.#world.scheduler.at(next, () => this.poke());
  }

  #hand(records: SQSRecord[]): void {
    this.#freeWorkers--;
    void this.#work(records).then((result) => {
      this.#freeWorkers++;
      const failed = new Set(result?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      const done = result ? records.filter(({ messageId }) => !failed.has(messageId)) : [];
      this.#world.machine.trace?.("queue", `${done.length} of ${records.length} are done`);
      for (const { receiptHandle } of done) this.#delete(receiptHandle);
      this.poke();
    });
  }

  /** What could not be deleted is delivered again. */
  #delete(ReceiptHandle: string): void {
    if (this.#world.faults.atEdge()) return;
    try {
      this.#world.queue.perform(new DeleteMessageCommand({ QueueUrl: "queue", ReceiptHandle }));
    } catch (error) {
      this.#world.machine.trace?.("queue", `keeps a message: ${(error as Error).name}`);
    }
  }
}

const recordOf = ({ MessageId, ReceiptHandle, Body, Attributes }: Message) =>
  ({ messageId: MessageId, receiptHandle: ReceiptHandle, body: Body, attributes: Attributes }) as unknown as SQSRecord;
