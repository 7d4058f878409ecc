import { isBillmgrUrl } from "../licensing/catalog.ts";
import { UsageError } from "./usage-error.ts";

/** Reads the option `--billmgr`, by the rule of the catalog's `billmgr.url`. @throws Mistake */
export function readBillmgrUrl(text: string): string {
  if (isBillmgrUrl(text)) return text;
  throw new UsageError(
    `--billmgr: found "${text}", expected an https address (http only on this machine), without user, password or query, such as https://api.ispsystem.com/manager/billmgr`,
  );
}
