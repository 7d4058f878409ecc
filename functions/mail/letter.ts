import type { Announcement } from "../../shared/licensing/announcement.ts";

export type Letter = { to: string; subject: string; text: string };

/**
 * Composes the letter to the customer about a license event. The texts are examples; replace them with your own.
 * @returns undefined if the customer's address is unknown, or the event concerns only the operator
 */
export function composeLetter(announcement: Announcement): Letter | undefined {
  const { email } = announcement.customer;
  if (announcement.type === "license.attention" || email === undefined) return undefined;
  const { plan, license } = announcement;
  const { subject, text } = texts[announcement.type];
  const details = [
    `License: ${license.id} (${plan})`,
    ...(license.key === undefined ? [] : [`Activation key: ${license.key}`]),
    ...(license.expiry === undefined || announcement.type === "license.deleted" ? [] : [`Valid to: ${license.expiry}`]),
  ];
  return { to: email, subject: `${subject}: ${plan}`, text: `${text}\n\n${details.join("\n")}\n` };
}

const texts: Record<Exclude<Announcement["type"], "license.attention">, { subject: string; text: string }> = {
  "license.ordered": { subject: "Your license is ready", text: "Thank you for your order. Your license is ready." },
  "license.prolonged": { subject: "Your license is renewed", text: "Your license has been renewed." },
  "license.edited": { subject: "Your license is changed", text: "Your license has been changed as you ordered." },
  "license.suspended": {
    subject: "Your license is suspended",
    text: "Your license has been suspended. It will be resumed as soon as it is paid.",
  },
  "license.resumed": { subject: "Your license works again", text: "Your license has been resumed." },
  "license.deleted": { subject: "Your license has ended", text: "Your license has ended and has been deleted." },
};
