/** What Chargebee sends for the user and password of a webhook's settings. */
export const basic = (secret: string): string => `Basic ${Buffer.from(secret).toString("base64")}`;
