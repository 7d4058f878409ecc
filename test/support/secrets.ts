/** A word that is in every secret of the tests and nowhere else: test/support/canary.ts looks for it wherever things go out. */
export const canary = "Kestrel7Canary";

/** "user:password", the password with `more` in it. */
export const authinfoWith = (more = ""): string => `reseller:${canary}${more}`;

/** A signing secret in the form of Standard Webhooks, a different one for each name. */
export const standardSecretOf = (name: string): string =>
  `whsec_${Buffer.from(`${canary} of ${name}`.padEnd(32, ".")).toString("base64")}`;

/** A signing secret of plain text, a different one for each name. */
export const plainSecretOf = (name: string): string => `whsec_${canary}_${name}`;
