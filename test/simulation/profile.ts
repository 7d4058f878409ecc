import type { Random } from "./random.ts";

/** The conditions of one run: the probability of each fault, and the limits. */
export type Profile = {
  name: string;
  /** Probability of a fault at each request to the table and the queue. */
  edge: number;
  /** Probability of a fault at each changing call to billmgr, and at each read. */
  change: number;
  reading: number;
  /** The clock of a worker is wrong by at most this many seconds, fast or slow. */
  skewSeconds: number;
  workers: number;
  visibilitySeconds: number;
  /** The index of the table shows a write after at most this many seconds. */
  indexLagSeconds: number;
  pageSize: number;
  /** Probability that the shop sends a webhook again, although it was answered 200. */
  duplicates: number;
  /** A webhook is late by at most about this many hours. */
  lateHours: number;
  /** billmgr executes a delayed call within this many seconds. */
  actsWithinSeconds: number;
  /** billmgr's password changes, and the secret follows hours later. */
  passwordChanges: boolean;
  funds: "plenty" | "short";
  limits: "wide" | "narrow";
  /** Whether the table once loses data: it is kept, restored to an earlier moment, or emptied. */
  table: "kept" | "restored" | "emptied";
};

const calm: Profile = {
  name: "calm",
  edge: 0,
  change: 0,
  reading: 0,
  skewSeconds: 0,
  workers: 3,
  visibilitySeconds: 1080,
  indexLagSeconds: 0,
  pageSize: 100,
  duplicates: 0,
  lateHours: 0,
  actsWithinSeconds: 0,
  passwordChanges: false,
  funds: "plenty",
  limits: "wide",
  table: "kept",
};

export function profileOf(random: Random): Profile {
  const kind = random.weighted([
    ["calm", 12],
    ["shop", 10],
    ["crashes", 22],
    ["billmgr", 22],
    ["all", 34],
    ["storm", 8],
  ] as const);
  if (kind === "calm") return calm;
  const shop: Profile = {
    ...calm,
    name: kind,
    workers: random.int(2, 4),
    indexLagSeconds: random.pick([0, 1, 20]),
    pageSize: random.pick([1, 3, 100]),
    duplicates: random.between(0, 0.6),
    lateHours: random.pick([0, 0.1, 1, 24, 96]),
  };
  if (kind === "shop") return shop;
  const withCrashes = kind === "crashes" || kind === "all" || kind === "storm";
  const withBillmgr = kind === "billmgr" || kind === "all" || kind === "storm";
  const storm = kind === "storm" ? 3 : 1;
  return {
    ...shop,
    ...(withCrashes && {
      edge: random.skewed(0.004, 0.06) * storm,
      skewSeconds: random.pick([0, 2, 15, 30]),
      visibilitySeconds: random.pick([1080, 1080, 300, 60, 15]),
    }),
    ...(withBillmgr && {
      change: random.between(0.05, 0.4) * Math.sqrt(storm),
      reading: random.skewed(0.01, 0.15) * storm,
      actsWithinSeconds: random.pick([10, 120, 600, 1500]),
      passwordChanges: random.chance(0.06),
      funds: random.chance(0.08) ? "short" : "plenty",
    }),
    limits: random.chance(0.05) ? "narrow" : "wide",
    table: random.chance(0.1) ? random.pick(["restored", "emptied"]) : "kept",
  };
}
