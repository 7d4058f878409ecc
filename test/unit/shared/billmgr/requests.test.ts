import { expect, test } from "vitest";
import { requestOf } from "../../../../shared/billmgr/requests.ts";
import type { Change } from "../../../../shared/licensing/operation.ts";
import { orderOf } from "../../../support/events.ts";

const common = { out: "xml", lang: "en" };
const license = { slot: 1, elid: "77", family: "platform" };
const order = orderOf({ addons: { "55165": 4, "55164": 20 } });
const ordered = {
  ...common,
  func: "platform.order.param",
  clicked_button: "finish",
  sok: "ok",
  skipbasket: "on",
  pricelist: "55163",
  period: "1",
  autoprolong: "null",
  remoteid: "bw-1",
  comment: "bw-1",
  addon_55165: "4",
  addon_55164: "20",
};

test.each<[string, Change, Record<string, string>]>([
  ["an order", order, ordered],
  [
    "a trial of another family, prolonged by billmgr",
    { ...order, family: "soft", period: -100, autoprolong: 12, trial: true, addons: {} },
    {
      ...common,
      func: "soft.order.param",
      clicked_button: "finish",
      sok: "ok",
      skipbasket: "on",
      pricelist: "55163",
      period: "-100",
      autoprolong: "12",
      remoteid: "bw-1",
      comment: "bw-1",
    },
  ],
  [
    "a prolong, by the common service",
    { ...license, kind: "prolong", plan: "vm-yearly", period: 12, expiry: "2028-01-01" },
    { ...common, func: "service.prolong", elid: "77", period: "12", sok: "ok" },
  ],
  [
    "an edit, which keeps the reference",
    { ...license, kind: "edit", plan: "vm-monthly", addons: { "55165": 0 } },
    { ...common, func: "platform.edit", elid: "77", sok: "ok", comment: "bw-1", addon_55165: "0" },
  ],
  ["a suspend", { ...license, kind: "suspend" }, { ...common, func: "platform.suspend", elid: "77" }],
  ["a resume", { ...license, kind: "resume" }, { ...common, func: "platform.resume", elid: "77" }],
  ["a delete", { ...license, kind: "delete" }, { ...common, func: "platform.delete", elid: "77" }],
])("the parameters of %s", (_, change, request) => {
  expect(requestOf(change, "bw-1")).toEqual(request);
});
