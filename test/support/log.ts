import type { Log } from "../../shared/observability/log.ts";
import { watch } from "./watch.ts";

/** Searches the log lines for secrets, and passes them to `log`, if given. */
export function watchedLog(log?: Log): Log {
  const at = (level: keyof Log) => (message: string, fields: Record<string, unknown>) => {
    watch("a log", [message, fields], level);
    log?.[level](message, fields);
  };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}
