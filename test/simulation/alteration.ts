import type { createHandler as createProvision } from "../../functions/provision/handler.ts";
import type { Post } from "../../shared/billmgr/transport.ts";
import type { Send } from "../../shared/intake/message.ts";
import type { MemoryDynamo } from "./memory-dynamo.ts";

export type Client = MemoryDynamo["client"];

export type ProvisionWorld = Parameters<typeof createProvision>[0];
export type Handler = ReturnType<typeof createProvision>;

/** What one process has to do with the world. */
export type Parts = { client: Client; post: Post; authinfo: () => Promise<string> };

/** How a run differs from the real construction: only to see that the difference is found. */
export type Alteration = {
  client?: (client: Client) => Client;
  provisionWorld?: (world: ProvisionWorld) => ProvisionWorld;
  handler?: (handler: Handler, parts: Parts) => Handler;
  webhookSend?: (send: Send) => Send;
  /** Where a run is broken off. */
  mostSteps?: number;
  /** Before anything is checked, which the real code is to do. */
  beforeChecks?: () => void;
};

/** Undefined where nobody reads it: most of a run would go into words. */
export type Trace = ((who: string, what: string) => void) | undefined;
