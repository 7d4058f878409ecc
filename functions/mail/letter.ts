import type { Announcement } from "../../shared/licensing/announcement.ts";

export type Letter = { to: string; subject: string; text: string };

/**
 * What the customer is written: an example, to be put into your own words. Nothing where no address is known, and nothing
 * of what is between you and billmgr.
 */
export function letterOf(announcement: Announcement): Letter | undefined {
  const { email } = announcement.customer;
  if (announcement.type === "license.attention" || email === undefined) return undefined;
  const { plan, license } = announcement;
  const { subject, says } = letters[announcement.type];
  const details = [
    `License: ${license.id} (${plan})`,
    ...(license.key === undefined ? [] : [`Activation key: ${license.key}`]),
    ...(license.expiry === undefined || announcement.type === "license.deleted" ? [] : [`Valid to: ${license.expiry}`]),
  ];
  return { to: email, subject: `${subject}: ${plan}`, text: `${says}\n\n${details.join("\n")}\n` };
}

const letters: Record<Exclude<Announcement["type"], "license.attention">, { subject: string; says: string }> = {
  "license.ordered": { subject: "Your license is ready", says: "Thank you for your order. Your license is ready." },
  "license.prolonged": { subject: "Your license is renewed", says: "Your license has been renewed." },
  "license.edited": { subject: "Your license is changed", says: "Your license has been changed as you ordered." },
  "license.suspended": {
    subject: "Your license is suspended",
    says: "Your license has been suspended. It is taken up again as soon as it is paid.",
  },
  "license.resumed": { subject: "Your license works again", says: "Your license has been taken up again." },
  "license.deleted": { subject: "Your license has ended", says: "Your license has ended and is deleted." },
};
