/** The part of a logger that the functions use. Fields never hold a secret, nor a body that is not verified. */
export type Log = {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
};
