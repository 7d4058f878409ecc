/** Every metric of the system, with CloudWatch's unit. */
export const metricUnits = {
  /** Webhooks by `storefront` and `answer` (the HTTP status). */
  Webhooks: "Count",
  /** Webhooks answered 401. */
  SignatureFailures: "Count",
  /** Operations at billmgr that came to be done. */
  Orders: "Count",
  Prolongs: "Count",
  OtherChanges: "Count",
  /** Calls that billmgr refused with a definite error. */
  Refusals: "Count",
  /** Calls that may or may not have done something. */
  UnknownOutcomes: "Count",
  /** At each look at such a call that does not settle it: how long it has been so. */
  UnknownOutcomeAge: "Seconds",
  /** From the payment, as the storefront dates it, to the license that was seen. */
  PaymentToLicense: "Seconds",
  /** Subscriptions that the schedule woke. */
  Woken: "Count",
  /** Events put onto the bus. */
  Announcements: "Count",
  /** What needs a person now. */
  AttentionCount: "Count",
  /** How long the longest due subscription has been due. */
  OverdueAge: "Seconds",
  /** 1 while all calls are halted. */
  Halted: "Count",
  /** The account's money, as it was read last. */
  Balance: "None",
  OrdersThisHour: "Count",
  OrdersToday: "Count",
} as const;

export type MetricName = keyof typeof metricUnits;

/** Figures for CloudWatch. Dimensions never hold what a customer or an unverified request can choose freely. */
export type Metrics = { put(name: MetricName, value: number, dimensions?: Record<string, string>): void };

/** Where nobody watches. */
export const noMetrics: Metrics = { put() {} };
