import { isBillmgrUrl } from "../licensing/catalog.ts";
import { UsageError } from "./usage-error.ts";

/** Parses the option `--billmgr` by the same rule as the catalog's `billmgr.url`. @throws UsageError */
export function readBillmgrUrl(text: string): string {
  if (isBillmgrUrl(text)) return text;
  throw new UsageError(
    `--billmgr is "${text}"; expected an https URL (http only on this machine) without user, password, or query, such as https://api.ispsystem.com/manager/billmgr`,
  );
}
