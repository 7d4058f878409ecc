import { afterAll, beforeAll, beforeEach } from "vitest";
import type { LocalStack, Options } from "../../local/stack.ts";
import { type Connection, connect } from "../../operator/cli/connect.ts";
import { startTestStack } from "./local.ts";

/** A test stack that the test runner starts and stops. It has the properties of a stack only while it runs. */
export type TestStack = LocalStack & {
  /** Puts a new, empty stack with these options in its place, for the rest of the test. */
  restart(options?: Partial<Options>): Promise<void>;
};

/** A new stack for each test of the file or block. */
export function useTestStack(options: Partial<Options> = {}): TestStack {
  const { stack, start, stop } = createTestStack(options);
  beforeEach(async () => {
    await start();
    return stop;
  });
  return stack;
}

/** One stack for the whole file or block. Its tests must not change each other's state. */
export function useSharedTestStack(options: Partial<Options> = {}): TestStack {
  const { stack, start, stop } = createTestStack(options);
  beforeAll(start);
  afterAll(stop);
  return stack;
}

function createTestStack(options: Partial<Options>) {
  let running: LocalStack | undefined;
  const startWith = async (changed: Partial<Options>) => {
    running = await startTestStack(changed);
    // A stack with an external billmgr has no sandbox, so this removes the sandbox of the previous stack.
    Object.assign(stack, { sandbox: undefined }, running);
  };
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  const stack = {
    restart: async (changed: Partial<Options> = {}) => {
      await stop();
      await startWith(changed);
    },
  } as TestStack;
  return { stack, start: () => startWith(options), stop };
}

/** Runs `use` with a second stack, in addition to that of the test. */
export async function withTestStack(options: Partial<Options>, use: (stack: LocalStack) => Promise<void>) {
  const stack = await startTestStack(options);
  try {
    await use(stack);
  } finally {
    await stack.stop();
  }
}

/** The connection of an operator's commands, new for each test. Its time is always that of the stack. */
export type TestConnection = Connection & {
  /** Connects again after a restart of the stack. */
  reconnect(): Promise<void>;
};

export function useConnection(stack: TestStack): TestConnection {
  const reconnect = async () => {
    connection.close?.();
    Object.assign(connection, await connect({ url: stack.url }), { now: () => stack.clock.now() });
  };
  const connection = { reconnect } as TestConnection;
  beforeEach(async () => {
    await reconnect();
    return () => connection.close();
  });
  return connection;
}
