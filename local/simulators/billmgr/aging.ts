/** What time alone does to the licenses. */

import { type Account, charge, productOf } from "./account.ts";
import { prolong } from "./changes.ts";
import { ACTIVE, dateOf, isExpired, type License, PROCESSING, settle } from "./license.ts";
import { costOf } from "./products.ts";

/** Brings every license up to the clock. True if something changed. */
export function advance(account: Account): boolean {
  const { state } = account;
  const now = account.now();
  const today = dateOf(now);
  let changed = false;
  for (const [i, license] of state.licenses.entries()) {
    // Most are, and there may be thousands of them at each call.
    if (license.status === ACTIVE && license.expiry > today && !license.suspendedByRequest && license.lickey) continue;
    const settled = settle(autoprolong(account, license), now, state.settings);
    if (settled === license) continue;
    state.licenses[i] = settled;
    changed = true;
  }
  return changed;
}

/** As many periods as the clock has passed and the balance pays for. */
function autoprolong(account: Account, license: License): License {
  const running = license.status === ACTIVE || license.status === PROCESSING;
  if (!running || license.suspendedByRequest || license.deleting || !license.autoprolong) return license;
  const cost = costOf(productOf(license), license.autoprolong, license.addons);
  let current = license;
  while (isExpired(current, account.now()) && charge(account, cost))
    current = prolong(account, { func: "", params: {}, by: "autoprolong" }, current, license.autoprolong);
  return current;
}
