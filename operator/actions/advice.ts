/** What to do about a reason, in short; docs/operating.md has the details. The first match counts. */
const advice: [reason: RegExp, advice: string][] = [
  [
    /^nothing in the catalog is sold/,
    "Add the id to the catalog, or to its ignored ids, and deploy. It then resumes automatically.",
  ],
  [
    /no event has told for which plan/,
    "Have the storefront send what was bought: deliver an event of the subscription again.",
  ],
  [
    /no event has told for how long/,
    "Have the storefront send the period: deliver an event of the subscription again.",
  ],
  [/^the extra |licenses at once/, "Fix the subscription in the storefront, or the catalog."],
  [/too far ahead to be believed/, "Have the storefront send the payment again, with the correct end of its period."],
  [
    /^the limit of /,
    "If the shop works correctly, wait for the next hour or day, or raise the limit and deploy. Then retry.",
  ],
  [/when it rises this is tried again/, "Top up the balance at billmgr. It then resumes automatically."],
  [
    /basket/,
    "Pay it in billmgr's cart, and it resumes automatically. Or empty the cart, and confirm that it was never bought.",
  ],
  [
    /is ordered, not paid|pay it in billmgr/,
    "Pay it in billmgr, and it resumes automatically. Or delete it there, and confirm that it is gone.",
  ],
  [
    /does not prove that nothing was bought/,
    "Look for the order at billmgr. If it exists, adopt it. Confirm that it was never bought only if you are certain.",
  ],
  [/^billmgr answered ok, yet/, "Ask ISPsystem what happened to it. The system keeps checking."],
  [/all carry bw-/, "Delete the duplicate license at billmgr. It then resumes automatically."],
  [/comment .* instead of bw-/, "Restore the comment of the license at billmgr. It then resumes automatically."],
  [
    /is deleted|knows no license/,
    "If it was deleted at billmgr, confirm that it is gone. A new one is ordered if the customer is still entitled to it.",
  ],
  [
    /^billmgr refused/,
    "Fix the cause that billmgr reports: a wrong code in the catalog, a missing permission, or insufficient funds. Then retry.",
  ],
  [/is unknown:|it cannot be done/, "Find out at billmgr why the change has no effect or is not visible. Then retry."],
];

export const adviceOn = (reason: string): string | undefined => advice.find(([pattern]) => pattern.test(reason))?.[1];
