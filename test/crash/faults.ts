import type { FaultPlan } from "../../local/simulators/billmgr/index.ts";
import type { Random } from "../simulation/random.ts";

/** Milliseconds after which billmgr has certainly finished the calls of a caller that died. */
export const lingersFor = 200;
const seconds = lingersFor / 2000;

const ways: [FaultPlan, ...FaultPlan[]] = [
  { fault: "act_then_drop" },
  { fault: "drop_before_acting" },
  { fault: "hang" },
  { fault: "hang_then_act", seconds },
  { fault: "slow", seconds },
  { fault: "long_request", seconds },
  { fault: "html", act: true },
  { fault: "captcha" },
  { fault: "429" },
  { fault: "503" },
  { fault: "504", act: true },
  { fault: "truncated" },
  { fault: "malformed" },
  { fault: "empty" },
  { fault: "error", type: "limit" },
  { fault: "error", type: "xml", act: true },
];

const orderWays: [FaultPlan, ...FaultPlan[]] = [
  { fault: "reply_without_id" },
  { fault: "reply_item_id" },
  { fault: "deleted_twin" },
  { fault: "stays_processing", seconds: 7200 },
];

export function someFault(random: Random): FaultPlan {
  const func = random.weighted([
    ["order", 4],
    ["prolong", 4],
    ["edit", 2],
    ["suspend", 1],
    ["resume", 1],
    ["delete", 1],
    ["read", 1],
    ["list", 1],
  ]);
  if (func === "order" && random.chance(0.4)) return { ...random.pick(orderWays), func };
  if (func === "list" && random.chance(0.3)) return { fault: "list_shifts" };
  return { ...random.pick(ways), func };
}
