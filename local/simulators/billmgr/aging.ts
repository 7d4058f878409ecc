/** The effects of time on the licenses. */

import { type Account, charge, productOf } from "./account.ts";
import { prolong } from "./changes.ts";
import { ACTIVE, dateOf, isExpired, type License, PROCESSING, settle } from "./license.ts";
import { costOf } from "./products.ts";

/** Updates every license to the current time. @returns whether anything changed */
export function advance(account: Account): boolean {
  const { state } = account;
  const now = account.now();
  const today = dateOf(now);
  let changed = false;
  for (const [i, license] of state.licenses.entries()) {
    // A shortcut for most licenses, of which there may be thousands at each call.
    if (license.status === ACTIVE && license.expiry > today && !license.suspendedByRequest && license.lickey) continue;
    const settled = settle(autoprolong(account, license), now, state.settings);
    if (settled === license) continue;
    state.licenses[i] = settled;
    changed = true;
  }
  return changed;
}

/** Prolongs the license until it is current or the balance is too low. */
function autoprolong(account: Account, license: License): License {
  const running = license.status === ACTIVE || license.status === PROCESSING;
  if (!running || license.suspendedByRequest || license.deleting || !license.autoprolong) return license;
  const cost = costOf(productOf(license), license.autoprolong, license.addons);
  let current = license;
  while (isExpired(current, account.now()) && charge(account, cost))
    current = prolong(account, { func: "", params: {}, by: "autoprolong" }, current, license.autoprolong);
  return current;
}
