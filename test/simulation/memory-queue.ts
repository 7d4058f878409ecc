import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
  SQSServiceException,
} from "@aws-sdk/client-sqs";

export type Options = {
  /** Milliseconds. */
  now: () => number;
  visibilitySeconds: number;
  /** After this number of receives a message is a dead letter. */
  maxReceiveCount: number;
};

type Held = {
  MessageBody: string;
  MessageGroupId: string;
  MessageDeduplicationId: string;
  id: string;
  sentAt: number;
  times: number;
  /** While it is invisible, it is in flight. */
  visibleAt: number;
  receipt?: string;
};

const dedupMs = 5 * 60_000;
const largestBatch = 10;

/**
 * One FIFO queue of SQS in memory. It deduplicates within a group, and delivers the messages of a group in order, one batch
 * at a time. It supports the commands that this system sends.
 */
export class MemoryQueue {
  readonly deadLetters: Held[] = [];
  readonly #options: Options;
  #messages: Held[] = [];
  readonly #sent = new Map<string, { at: number; id: string }>();
  #count = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get client(): Pick<SQSClient, "send"> {
    return { send: async (command: unknown) => this.perform(command) } as unknown as Pick<SQSClient, "send">;
  }

  /** @throws as the client does */
  perform(command: unknown): unknown {
    if (command instanceof SendMessageBatchCommand) return this.#send(command.input.Entries ?? []);
    if (command instanceof ReceiveMessageCommand) {
      return { Messages: this.#receive(command.input.MaxNumberOfMessages ?? 1) };
    }
    if (command instanceof DeleteMessageCommand) return this.#delete(command.input.ReceiptHandle);
    if (command instanceof ChangeMessageVisibilityCommand) {
      return this.#changeVisibility(command.input.ReceiptHandle, command.input.VisibilityTimeout ?? 0);
    }
    throw new Error(`no such command: ${(command as object).constructor.name}`);
  }

  /** The number of messages that are visible or in flight. */
  size(): number {
    return this.#messages.length;
  }

  bodies(): string[] {
    return [...this.#messages, ...this.deadLetters].map(({ MessageBody }) => MessageBody);
  }

  /** Whether a receive would return a message now. */
  get hasVisible(): boolean {
    const now = this.#options.now();
    const locked = new Set(this.#messages.filter((one) => one.visibleAt > now).map((one) => one.MessageGroupId));
    return this.#messages.some((one) => !locked.has(one.MessageGroupId));
  }

  /** When the next message in flight becomes visible again, unless it is deleted. */
  nextVisibleAt(): number | undefined {
    const later = this.#messages.map(({ visibleAt }) => visibleAt).filter((at) => at > this.#options.now());
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  /** Returns the dead letters to the queue, as an operator does after the cause is fixed. */
  redrive(): void {
    for (const letter of this.deadLetters.splice(0)) this.#messages.push({ ...letter, times: 0, visibleAt: 0 });
  }

  #send(entries: SendMessageBatchRequestEntry[]) {
    if (entries.length > largestBatch) throw refusal("TooManyEntriesInBatchRequest");
    const now = this.#options.now();
    const Successful = entries.map(({ Id, MessageBody, MessageGroupId, MessageDeduplicationId }) => {
      if (!MessageBody || !MessageGroupId || !MessageDeduplicationId) throw refusal("MissingParameter");
      const word = `${MessageGroupId} ${MessageDeduplicationId}`;
      const before = this.#sent.get(word);
      if (before && now - before.at < dedupMs) return { Id, MessageId: before.id };
      const id = `message-${++this.#count}`;
      this.#sent.set(word, { at: now, id });
      const message = { MessageBody, MessageGroupId, MessageDeduplicationId };
      this.#messages.push({ ...message, id, sentAt: now, times: 0, visibleAt: 0 });
      return { Id, MessageId: id };
    });
    return { Successful, Failed: [] };
  }

  #receive(most: number): Message[] {
    if (most > largestBatch) throw refusal("ReadCountOutOfRange");
    const { now, visibilitySeconds, maxReceiveCount } = this.#options;
    const locked = new Set(this.#messages.filter((one) => one.visibleAt > now()).map((one) => one.MessageGroupId));
    const received: Message[] = [];
    for (const message of [...this.#messages]) {
      if (received.length === most) break;
      if (locked.has(message.MessageGroupId)) continue;
      if (message.times >= maxReceiveCount) {
        this.#remove(message);
        this.deadLetters.push(message);
        continue;
      }
      message.times++;
      message.visibleAt = now() + visibilitySeconds * 1000;
      message.receipt = `receipt-${++this.#count}`;
      received.push({
        MessageId: message.id,
        ReceiptHandle: message.receipt,
        Body: message.MessageBody,
        Attributes: {
          MessageGroupId: message.MessageGroupId,
          MessageDeduplicationId: message.MessageDeduplicationId,
          ApproximateReceiveCount: String(message.times),
          SentTimestamp: String(message.sentAt),
        },
      });
    }
    return received;
  }

  /** In a FIFO queue a receipt is valid only until its message is visible again. */
  #inFlight(receipt: string | undefined): Held | undefined {
    return this.#messages.find((one) => one.receipt === receipt && one.visibleAt > this.#options.now());
  }

  #delete(receipt: string | undefined) {
    const message = this.#inFlight(receipt);
    if (!message) throw refusal("InvalidParameterValue", "The receipt handle has expired.");
    this.#remove(message);
    return {};
  }

  #changeVisibility(receipt: string | undefined, seconds: number) {
    const message = this.#inFlight(receipt);
    if (!message) throw refusal("MessageNotInflight");
    message.visibleAt = this.#options.now() + seconds * 1000;
    return {};
  }

  #remove(message: Held): void {
    this.#messages = this.#messages.filter((one) => one !== message);
  }
}

const refusal = (name: string, message = name): SQSServiceException =>
  new SQSServiceException({ name, message, $fault: "client", $metadata: {} });
