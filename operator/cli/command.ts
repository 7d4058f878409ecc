import type { ParseArgsConfig } from "node:util";
import type { Connection } from "./connect.ts";

/** What a command was given, and what it may do beside its work. */
export type Given = {
  words: string[];
  values: Record<string, unknown>;
  connect: () => Promise<Connection>;
  /** Ends the command unless a person agrees. @throws Mistake */
  confirm: (what: string) => Promise<void>;
  /** Told on a terminal while something takes long. */
  progress: (text: string) => void;
};

/** `data` is what --json prints, `text` what a person reads. `failed` ends with exit code 1. */
export type Outcome = { data: unknown; text: string; failed?: boolean };

export type Command = {
  /** The words that it takes, as the usage names them; those in brackets may be left out. */
  takes: string[];
  about: string;
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** One line for each of its options and what else there is to say. */
  help?: string;
  /** Undefined where it has printed by itself. */
  run(given: Given): Promise<Outcome | undefined>;
};

/** The text of an option that was given. */
export const textOf = ({ values }: Given, name: string): string | undefined => {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
};
