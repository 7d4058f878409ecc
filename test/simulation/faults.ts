import type { FaultPlan } from "../../local/simulators/billmgr/index.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";

/** Faults of a request to the table or the queue. `before` and `after` refer to its effect. */
export type EdgeFault =
  | "crash_before"
  | "crash_after"
  | "fail_before"
  | "fail_after"
  /** The client gives up, and the request takes effect later. */
  | "late"
  /** The client's own retry sends it twice, and returns the second answer. */
  | "twice"
  | "slow";

/** Faults of a call to billmgr: those of the network and the process, and those of the sandbox. */
export type CallFault =
  | "crash_before"
  | "crash_after"
  | "not_sent"
  | "slow"
  /** A proxy answers "ok", and billmgr receives nothing. So an "ok" is not a proof. */
  | "empty_ok"
  | FaultPlan;

const edgeFaults: readonly (readonly [EdgeFault, number])[] = [
  ["crash_before", 4],
  ["crash_after", 6],
  ["fail_before", 3],
  ["fail_after", 3],
  ["late", 1],
  ["twice", 2],
  ["slow", 3],
];

export const isChanging = (operation: string): boolean =>
  ["order", "prolong", "edit", "suspend", "resume", "delete"].includes(operation);

/** Draws the fault of each request, while faults are on. */
export class Faults {
  on = true;
  /** False if a form hides changed fields: then the system must trust an "ok" (docs/decisions/0002). */
  canDetectFalseOk = true;
  readonly counts = new Map<string, number>();
  readonly #profile: Profile;
  readonly #edges: Random;
  readonly #changes: Random;
  readonly #reads: Random;

  constructor(profile: Profile, random: Random) {
    this.#profile = profile;
    this.#edges = random.fork();
    this.#changes = random.fork();
    this.#reads = random.fork();
  }

  atEdge(): EdgeFault | undefined {
    if (!this.on || !this.#edges.chance(this.#profile.edge)) return undefined;
    return this.#counted(this.#edges.weighted(edgeFaults));
  }

  /** @param operation the sandbox's name for the call */
  atCall(operation: string, { p_num }: Record<string, string>): CallFault | undefined {
    const isChange = isChanging(operation);
    const [random, rate] = isChange
      ? [this.#changes, this.#profile.change]
      : ([this.#reads, this.#profile.reading] as const);
    if (!this.on) return undefined;
    // Workers also die at calls in runs without a faulty billmgr.
    const crashes = 2 * this.#profile.edge;
    const drawn = random.next();
    if (drawn < crashes) return this.#counted(random.pick(["crash_before", "crash_after", "crash_after", "not_sent"]));
    if (drawn < crashes + rate) {
      return this.#counted(
        isChange ? this.#ofChange(operation, random) : this.#ofRead(operation, Number(p_num ?? 1), random),
      );
    }
    return undefined;
  }

  #ofChange(operation: string, random: Random): CallFault {
    const act = random.chance(0.5);
    const choices: [CallFault, number][] = [
      ["not_sent", 2],
      ["slow", 2],
      ["empty_ok", this.canDetectFalseOk ? 5 : 0],
      [{ fault: "act_then_drop" }, 5],
      [{ fault: "drop_before_acting" }, 3],
      [{ fault: "hang" }, 2],
      [{ fault: "hang_then_act", seconds: this.#late(random) }, 5],
      [{ fault: "slow", seconds: random.int(1, 90) }, 3],
      [{ fault: "long_request", ...(act && { seconds: this.#late(random) }) }, 2],
      [{ fault: "html", act }, 2],
      [{ fault: "captcha" }, 1],
      [{ fault: "http_status", status: random.pick([403, 429, 500, 502, 503, 504]), act }, 3],
      [{ fault: "truncated" }, 2],
      [{ fault: "malformed" }, 1],
      [{ fault: "empty" }, 2],
      [{ fault: "error", type: random.pick(["limit", "xml", "client", "pricelist_min_order"]), act }, 3],
      [{ fault: "stays_processing", seconds: random.int(1, 20_000) }, 2],
      [{ fault: "second_factor" }, 1],
      // The system trusts a definite error: these are refusals, and need attention.
      [{ fault: "error", type: random.pick(["value", "access", "exists", "missed"]), act: false }, 0.4],
    ];
    if (operation === "order" || operation === "prolong") {
      choices.push([{ fault: "basket" }, 0.4], [{ fault: "cart_list" }, 0.4]);
    }
    if (operation === "order") {
      choices.push(
        [{ fault: "unpaid" }, 0.2],
        [{ fault: "unpaid_id" }, 0.3],
        [{ fault: "reply_foreign_id" }, 2],
        [{ fault: "reply_order_number" }, 1],
        [{ fault: "deleted_twin" }, 2],
        [{ fault: "reply_without_id" }, 3],
        [{ fault: "reply_item_id" }, 2],
      );
    }
    return random.weighted(choices);
  }

  /** A delay in seconds, mostly short. */
  #late = (random: Random): number => Math.ceil(random.skewed(1, this.#profile.actsWithinSeconds));

  #ofRead(operation: string, page: number, random: Random): CallFault {
    if (operation === "list" && random.chance(0.4)) {
      if (page > 1) return { fault: "list_shifts" };
      return { fault: "filter_set", filter: { [random.pick(["status", "id", "pricelist"])]: "3" } };
    }
    return random.weighted<CallFault>([
      ["not_sent", 2],
      ["slow", 2],
      [{ fault: "act_then_drop" }, 2],
      [{ fault: "hang" }, 2],
      [{ fault: "slow", seconds: random.int(1, 40) }, 2],
      [{ fault: "long_request" }, 1],
      [{ fault: "html" }, 1],
      [{ fault: "captcha" }, 1],
      [{ fault: "http_status", status: random.pick([403, 429, 500, 502, 503, 504]) }, 2],
      [{ fault: "truncated" }, 2],
      [{ fault: "malformed" }, 1],
      [{ fault: "empty" }, 1],
      [{ fault: "error", type: random.pick(["limit", "xml", "client", "access"]) }, 2],
    ]);
  }

  #counted<T extends EdgeFault | CallFault>(fault: T & (EdgeFault | CallFault)): T {
    const name = typeof fault === "string" ? fault : `${fault.fault}${fault.act ? ", acts" : ""}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    return fault;
  }
}
