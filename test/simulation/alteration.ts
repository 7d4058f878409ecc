import type { createHandler as createProvision } from "../../functions/provision/handler.ts";
import type { Post } from "../../shared/billmgr/transport.ts";
import type { Send } from "../../shared/intake/message.ts";
import type { MemoryDynamo } from "./memory-dynamo.ts";

export type Client = MemoryDynamo["client"];

export type ProvisionDependencies = Parameters<typeof createProvision>[0];
export type Handler = ReturnType<typeof createProvision>;

/** The clients through which one process reaches the table and billmgr. */
export type Parts = { client: Client; post: Post; authinfo: () => Promise<string> };

/** Changes the construction of a run, to test that the checks detect a difference. */
export type Alteration = {
  client?: (client: Client) => Client;
  provisionDependencies?: (deps: ProvisionDependencies) => ProvisionDependencies;
  handler?: (handler: Handler, parts: Parts) => Handler;
  webhookSend?: (send: Send) => Send;
  /** A run fails after this number of steps. */
  mostSteps?: number;
  /** Runs before the checks, which use the real code. */
  beforeChecks?: () => void;
};

/** Undefined when nobody reads the trace, because formatting it would take most of the time of a run. */
export type Trace = ((who: string, what: string) => void) | undefined;
