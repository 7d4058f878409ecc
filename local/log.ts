import type { Log } from "../shared/observability/log.ts";

/** A log with one line for each entry, for reading in a terminal. */
export function consoleLog(print: (line: string) => void = console.log): Log {
  const at = (level: string) => (message: string, fields: Record<string, unknown>) => {
    const formatted = Object.entries(fields).map(
      ([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`,
    );
    print([new Date().toISOString().slice(11, 19), ...(level ? [level] : []), message, ...formatted].join("  "));
  };
  return { info: at(""), warn: at("WARN"), error: at("ERROR") };
}

const quoted = (text: string): string => (/^[\w.:/#@-]*$/.test(text) ? text : JSON.stringify(text));
