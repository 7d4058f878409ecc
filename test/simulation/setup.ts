import type { Settings } from "../../local/simulators/billmgr/index.ts";
import { type Catalog, parseCatalog } from "../../shared/licensing/catalog.ts";
import { standardSecretOf, canary as word } from "../support/secrets.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";

/** Secrets that must not appear in anything that the system stores, logs, or returns. */
export const canary = {
  password: `${word}&Pass word%1`,
  signing: standardSecretOf("the simulation"),
};

/** The catalog of the simulated shop, with policies that differ from seed to seed. */
export function catalogOf(random: Random, { limits, table }: Profile): Catalog {
  // The name of a product is stored with each license, so a long one tests the size limit of items.
  const dcimanager = random.chance(0.05) ? `dcimanager6${random.text(4000)}` : "dcimanager6";
  return parseCatalog({
    billmgr: { url: "https://billmgr.example/manager/billmgr" },
    products: {
      vmmanager6: { pricelist: 55163, addons: { nodes: 55165, virtualMachines: 55164 } },
      [dcimanager]: { pricelist: 55161 },
      ispmanager: { pricelist: 55228, family: "soft" },
    },
    plans: {
      "vm-monthly": {
        product: "vmmanager6",
        period: 1,
        addons: { nodes: { perUnit: 1 } },
        soldAs: { stripe: ["price_vm"] },
      },
      "vm-prepaid": {
        product: "vmmanager6",
        period: 1,
        addons: { nodes: { base: 1 }, virtualMachines: { perUnit: 10 } },
      },
      "vm-yearly": { product: "vmmanager6", period: 12, addons: { nodes: { base: 2, perUnit: 1 } } },
      "dci-each": { product: dcimanager, period: 1, quantity: "licenses", soldAs: { stripe: ["price_dci"] } },
      "dci-trial": { product: dcimanager, period: 1, trial: { period: -100 } },
      "isp-monthly": { product: "ispmanager", period: 1 },
    },
    extras: { "vm-node": { product: "vmmanager6", addons: { nodes: { perUnit: 1 } } } },
    ignored: { standard: ["support"] },
    policy: {
      graceDays: random.pick([0, 3, 7]),
      onEnd: random.pick(["suspend", "suspend", "delete", "lapse"]),
      retentionDays: random.pick([0, 2, 14]),
      renew: random.pick(["on_payment", "before_expiry"]),
      renewAheadDays: random.pick([1, 2, 5]),
      late: random.pick(["order", "prolong"]),
      // After a loss of data only the strict guard is safe.
      orderGuard: table === "kept" && random.chance(0.2) ? "lenient" : "strict",
    },
    limits: limits === "narrow" ? { ordersPerHour: 1, ordersPerDay: 3 } : { ordersPerHour: 1000, ordersPerDay: 1000 },
  });
}

/** The undocumented behavior of billmgr, which differs from seed to seed. */
export function settingsOf(random: Random, { funds, change }: Profile): Partial<Settings> {
  const settings: Partial<Settings> = {
    balance: funds === "short" ? random.int(0, 60) : 1_000_000,
    processingSeconds: random.pick([0, 0, 1, 1, 1, 40, 40, 5400]),
    changeProcessing: random.chance(0.2),
    orderReply: random.weighted([
      ["id", 5],
      ["item.id", 2],
      ["none", 2],
      ["order_number", 1],
      ["foreign_id", 0.3],
    ] as const),
    fundsReply: random.weighted([
      ["error", 3],
      ["basket", 1],
      ["cart_list", 1],
      ["unpaid", 1],
      ["unpaid_id", 1],
    ] as const),
    statusForm: random.weighted([
      ["all", 4],
      ["attribute", 1],
      ["text", 1],
      ["real", 1],
    ] as const),
    prolongStarts: random.chance(0.6),
    suspendsStopped: random.chance(0.6),
    listShowsRemoteid: random.chance(0.8),
    listShowsComment: random.chance(0.8),
    largestPage: random.pick([1000, 1000, 3, 1]),
    deletedLinger: random.chance(0.7),
    deletedTwins: random.chance(0.15),
    filterSubmit: random.weighted([
      ["always", 6],
      ["without_out", 3],
      ["ignored", 0.3],
      ["refused", 0.3],
    ] as const),
  };
  // Missing rights and hidden form fields sooner or later result in attention items.
  if (change > 0 && random.chance(0.08)) settings.denied = [random.pick(["balance", "suspend", "resume", "delete"])];
  if (change > 0 && random.chance(0.08))
    settings.formHides = [random.pick(["addons", "remoteid", "comment", "status"])];
  // A form without a status cannot show that a license stays stopped.
  if (settings.formHides?.includes("status")) settings.prolongStarts = true;
  return settings;
}
