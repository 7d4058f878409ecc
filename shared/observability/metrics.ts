/** Every metric of the system, with CloudWatch's unit. */
export const metricUnits = {
  /** Webhooks by `storefront` and `answer` (the HTTP status). */
  Webhooks: "Count",
  /** Webhooks answered 401. */
  SignatureFailures: "Count",
  /** Completed operations at billmgr. */
  Orders: "Count",
  Prolongs: "Count",
  OtherChanges: "Count",
  /** Calls that billmgr refused with a definite error. */
  Refusals: "Count",
  /** Calls that may or may not have had an effect. */
  UnknownOutcomes: "Count",
  /** The age of such a call, at each observation that does not settle it. */
  UnknownOutcomeAge: "Seconds",
  /** From the payment's time at the storefront to the observed license. */
  PaymentToLicense: "Seconds",
  /** Subscriptions that the schedule woke. */
  Woken: "Count",
  /** Events published on the bus. */
  Announcements: "Count",
  /** Current attention items. */
  AttentionCount: "Count",
  /** How long the oldest due subscription has been due. */
  OverdueAge: "Seconds",
  /** 1 while all calls are halted. */
  Halted: "Count",
  /** The account's balance, as last read. */
  Balance: "None",
  OrdersThisHour: "Count",
  OrdersToday: "Count",
} as const;

export type MetricName = keyof typeof metricUnits;

/** Publishes metrics. Dimensions never contain values that a customer or an unverified request can choose freely. */
export type Metrics = { put(name: MetricName, value: number, dimensions?: Record<string, string>): void };

/** No-op metrics. */
export const noMetrics: Metrics = { put() {} };
