/** The shape of a command of `npm run ops`. */
import type { ParseArgsConfig } from "node:util";
import type { Connection } from "./connect.ts";

/** The arguments of one call, and the services that a command may use. */
export type Invocation = {
  positionals: string[];
  values: Record<string, unknown>;
  connect: () => Promise<Connection>;
  /** Ends the command unless the operator agrees. @throws UsageError */
  confirm: (text: string) => Promise<void>;
  /** Shows how far a long command is, on a terminal only. */
  progress: (text: string) => void;
};

/** `data` is printed by --json, `text` otherwise. `failed` ends the command with exit code 1. */
export type CommandResult = { data: unknown; text: string; failed?: boolean };

export type Command = {
  /** Positional arguments as the usage shows them: `<required>`, `[optional]`, `…` for several. */
  parameters: string[];
  summary: string;
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** One line for each option, then notes. */
  help?: string;
  /** Returns undefined if the command has already printed its output. */
  run(invocation: Invocation): Promise<CommandResult | undefined>;
};

/** The value of a text option, if it was passed. */
export const textOption = ({ values }: Invocation, name: string): string | undefined => {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
};
