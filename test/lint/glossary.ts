// The words that the project does not use, and the words to write instead. `npm run lint` checks them by words.ts.

export type Rule = {
  words: readonly string[];
  /** The text after "write". */
  instead: string;
};

/** A word also matches as a part of an identifier: "told" in `toldAt` and `isTold`, not in "untold". */
export const rules: readonly Rule[] = [
  {
    words: ["told", "untold", "tells", "telling", "tell of"],
    instead: '"send", "contain", "report", "return", or "publish": only people tell',
  },
  {
    words: [
      "needs a person",
      "need a person",
      "needs people",
      "waits for a person",
      "wait for a person",
      "a person is needed",
      "a person is asked",
    ],
    instead: '"needs attention", or "attention item"',
  },
  { words: ["mend", "mends", "mended", "mending"], instead: '"fix", "correct", or "repair"' },
  { words: ["reckon", "reckons", "reckoned", "reckoning"], instead: '"compute" or "count"' },
  { words: ["comes to", "come to", "came to"], instead: '"results in", "arrives at", or the outcome itself' },
  { words: ["beside", "besides"], instead: '"next to", "in addition to", or "other than"' },
  { words: ["anew"], instead: '"again"' },
  { words: ["whoever", "whomever"], instead: '"anyone who", or the actor' },
  { words: ["otherwise than"], instead: '"different from"' },
  { words: ["at once"], instead: '"immediately", or "at the same time"' },
  { words: ["by itself", "by themselves"], instead: '"automatically", or "separately"' },
  { words: ["goes on", "go on", "went on", "going on"], instead: '"continues" or "resumes"' },
  { words: ["door", "doors"], instead: '"HTTP endpoint"' },
  { words: ["desk"], instead: '"console context"' },
  { words: ["chapter", "chapters"], instead: '"history"' },
  { words: ["unheld"], instead: '"unassigned"' },
  { words: ["said"], instead: '"reported", "stated", or `operatorMessage`' },
  { words: ["brake", "brakes"], instead: '"circuit breaker"' },
  { words: ["world"], instead: '"dependencies" (`…Dependencies`, `deps`), or the name of its content' },
  { words: ["sight", "sights", "sighting", "sightings"], instead: '"observation" or "read"' },
  { words: ["carryOut"], instead: "`execute`" },
  { words: ["weighFunds"], instead: "`retryAfterTopUp`" },
  { words: ["judge", "judges", "judged"], instead: '"compare"' },
  { words: ["basket", "baskets"], instead: '"cart"' },
];

/** Names of ISPsystem and other vendors, and a fault of the simulator, which contain such a word. */
export const accepted: readonly RegExp[] = [
  /skipbasket/g,
  /func=basket/g,
  /"basket"/g,
  /order\|basket\|payment/g,
  /payment\|basket\|cart/g,
  /(?<=^ {2})basket(?=: [{(])/gm,
  /stripe[-_]world/g,
  /Stripe World/g,
];
