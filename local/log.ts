import type { Log } from "../shared/observability/log.ts";

/** One line for each entry, for a person at a terminal. */
export function consoleLog(print: (line: string) => void = console.log): Log {
  const at = (level: string) => (message: string, fields: Record<string, unknown>) => {
    const shown = Object.entries(fields).map(
      ([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`,
    );
    print([new Date().toISOString().slice(11, 19), ...(level ? [level] : []), message, ...shown].join("  "));
  };
  return { info: at(""), warn: at("WARN"), error: at("ERROR") };
}

const quoted = (text: string): string => (/^[\w.:/#@-]*$/.test(text) ? text : JSON.stringify(text));
