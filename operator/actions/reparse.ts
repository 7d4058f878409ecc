/** Parses a stored webhook again with the current code. */
import { PreconditionFailed } from "../../shared/errors.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import type { Message, Received } from "../../shared/intake/message.ts";
import { messagesOf } from "../../shared/intake/messages.ts";
import { storefrontNames } from "../../shared/licensing/event.ts";
import { suggest } from "../../shared/problems.ts";
import { parseJson } from "../../shared/storefronts/bodies.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { Storefront } from "../../shared/storefronts/storefront.ts";

/** `facts` are the messages with facts; `unparseable` and `ignored` are the reasons for the parts without any. */
export type Reparsed = {
  facts: (Message & { kind: "event" | "link" })[];
  unparseable?: string;
  ignored?: string;
};

/** Parses a stored body with the current code. @throws PreconditionFailed */
export function reparse(storefront: string, { receivedAt, headers, body }: Received): Reparsed {
  const { events, parse = parseJson } = storefrontFor(storefront);
  const parsed = events(parse(unpack(body)), headers ?? {});
  const received = { receivedAt, ...(headers && { headers }), body };
  const reparsed: Reparsed = { facts: [] };
  for (const { message } of parsed.flatMap((event) => messagesOf(storefront, event, received))) {
    if (message.kind === "event" || message.kind === "link") reparsed.facts.push(message);
    else if (message.kind !== "wake") reparsed[message.kind] = message.reason;
  }
  return reparsed;
}

/** @throws PreconditionFailed */
export function storefrontFor(name: string): Storefront {
  const storefront = storefrontNamed(name);
  if (!storefront) throw new PreconditionFailed(`no such storefront "${name}"${suggest(name, storefrontNames)}`);
  return storefront;
}
