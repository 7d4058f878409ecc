/** `ops find` */
import { type FoundSubscription, find } from "../actions/find.ts";
import type { Command } from "./command.ts";
import { formatColumns } from "./text.ts";

export const findCommand: Command = {
  parameters: ["<text>"],
  summary: "find subscriptions by id, customer id, e-mail address, license, or reference",
  help: "  Only exact values are found. Upper and lower case do not matter.",
  async run({ positionals: [text = ""], connect }) {
    const found = await find(text, await connect());
    return { data: found, text: found.length > 0 ? formatFound(found) : notFound(text), failed: found.length === 0 };
  },
};

const formatFound = (found: readonly FoundSubscription[]): string =>
  formatColumns(
    found.map(({ name, customer, email, licenses }) => [
      name,
      [customer && `customer ${customer}`, email].filter(Boolean).join(", "),
      licenses.length > 0 ? `license ${licenses.join(", ")}` : "no license",
    ]),
  );

const notFound = (text: string): string =>
  `no subscription has "${text}" as its id, customer id, e-mail address, license, or reference
  Only exact values are found. If you know the subscription's name: show stripe/sub_123`;
