import { PreconditionFailed } from "../../shared/errors.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import type { Message, Received } from "../../shared/intake/message.ts";
import { messagesOf } from "../../shared/intake/messages.ts";
import { suggest } from "../../shared/problems.ts";
import { parseJson } from "../../shared/storefronts/bodies.ts";
import { storefrontNamed, storefrontNamesBuilt } from "../../shared/storefronts/index.ts";
import type { Storefront } from "../../shared/storefronts/storefront.ts";

/** `facts` are the messages that carry what was understood; `unclear` and `ignored` say why the rest was not, or means nothing. */
export type Reparsed = {
  facts: (Message & { kind: "event" | "link" })[];
  unparseable?: string;
  ignored?: string;
};

/** What a stored body says when it is read with today's code. @throws Unfit */
export function reparse(storefront: string, { receivedAt, headers, body }: Received): Reparsed {
  const { events, parse = parseJson } = storefrontFor(storefront);
  const read = events(parse(unpack(body)), headers ?? {});
  const came = { receivedAt, ...(headers && { headers }), body };
  const reading: Reparsed = { facts: [] };
  for (const { message } of read.flatMap((told) => messagesOf(storefront, told, came))) {
    if (message.kind === "event" || message.kind === "link") reading.facts.push(message);
    else if (message.kind !== "wake") reading[message.kind] = message.reason;
  }
  return reading;
}

/** @throws Unfit */
export function storefrontFor(name: string): Storefront {
  const storefront = storefrontNamed(name);
  if (!storefront) throw new PreconditionFailed(`no such storefront "${name}"${suggest(name, storefrontNamesBuilt)}`);
  return storefront;
}
