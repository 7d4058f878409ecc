import { type Found, find } from "../actions/find.ts";
import type { Command } from "./command.ts";
import { columns } from "./text.ts";

export const findCommand: Command = {
  takes: ["<text>"],
  about: "the subscriptions of a customer, an address, a license, a reference",
  help: "  TEXT is a subscription's id, customer id, e-mail address, license or reference: whole, in any case of letters.",
  async run({ words: [text = ""], connect }) {
    const found = await find(text, await connect());
    return { data: found, text: found.length > 0 ? textOf(found) : none(text), failed: found.length === 0 };
  },
};

const textOf = (found: readonly Found[]): string =>
  columns(
    found.map(({ name, customer, email, licenses }) => [
      name,
      [customer && `customer ${customer}`, email].filter(Boolean).join(", "),
      licenses.length > 0 ? `license ${licenses.join(", ")}` : "no license",
    ]),
  );

const none = (text: string): string =>
  `no subscription has exactly "${text}" as its id, customer id, e-mail address, license or reference
  give it whole, or, where you know the subscription's name: show stripe/sub_123`;
