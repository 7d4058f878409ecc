/** What to do about a reason, in a sentence: docs/operating.md says it at length. The first that fits counts. */
const advice: [reason: RegExp, todo: string][] = [
  [
    /^nothing in the catalog is sold/,
    "Add the id to the catalog, or to what is ignored there, and deploy: it goes on by itself.",
  ],
  [
    /no event has told for which plan/,
    "Have the storefront tell what was bought: deliver the subscription's event again.",
  ],
  [/no event has told for how long/, "Have the storefront tell the subscription: deliver its event again."],
  [/^the extra |licenses at once/, "Mend the subscription in the storefront, or the catalog."],
  [/too far ahead to be believed/, "Have the storefront tell the payment again, with the right end of its period."],
  [
    /^the limit of /,
    "Is the shop broken? If not, wait for the next hour or day, or raise the limit and deploy. Then try again.",
  ],
  [/when it rises this is tried again/, "Top up the balance at billmgr: it goes on by itself."],
  [
    /basket/,
    "Pay it in billmgr's basket, and it goes on by itself. Or empty the basket, and say that it was never bought.",
  ],
  [
    /is ordered, not paid|pay it in billmgr/,
    "Pay it in billmgr, and it goes on by itself. Or delete it there, and say that it is gone.",
  ],
  [
    /does not prove that nothing was bought/,
    "Look for the order at billmgr. If it is there, adopt it; only if you are certain that it is not, say that it was never bought.",
  ],
  [/^billmgr answered ok, yet/, "Ask ISPsystem what became of it. It is looked at again by itself."],
  [/all carry bw-/, "Delete the superfluous license at billmgr: it goes on by itself."],
  [/comment .* instead of bw-/, "Give the license its comment back at billmgr: it goes on by itself."],
  [
    /is deleted|knows no license/,
    "If somebody deleted it at billmgr, say that it is gone: a new one is ordered if the customer is entitled to it.",
  ],
  [/^billmgr refused/, "Mend what billmgr says: a wrong code in the catalog, a missing right, money. Then try again."],
  [/is unknown:|it cannot be done/, "Look at billmgr why it has no effect, or cannot be seen. Then try again."],
];

export const adviceOn = (reason: string): string | undefined => advice.find(([pattern]) => pattern.test(reason))?.[1];
