/** A word that occurs only in the secrets of the tests. test/support/canary.ts searches all outputs for it. */
export const canary = "Kestrel7Canary";

/** "user:password". The password contains `more`. */
export const authinfoWith = (more = ""): string => `reseller:${canary}${more}`;

/** A signing secret in the form of Standard Webhooks, a different one for each name. */
export const standardSecretOf = (name: string): string =>
  `whsec_${Buffer.from(`${canary} of ${name}`.padEnd(32, ".")).toString("base64")}`;

/** A signing secret of plain text, a different one for each name. */
export const plainSecretOf = (name: string, prefix = "whsec_"): string => `${prefix}${canary}_${name}`;
