/**
 * Time limits of the provision function and its queue. Limits nest: a call to billmgr < the time that provision needs for
 * one more step (converge.ts) < one run of provision < the queue's visibility timeout.
 */

/** One run of the provision function. */
export const provisionTimeoutMs = 180_000;

/**
 * How long the queue hides a message that a run has received: 18 minutes. AWS recommends six times the function's timeout
 * for an event source, so that Lambda can retry a throttled batch within it.
 */
export const queueVisibilityTimeoutMs = 6 * provisionTimeoutMs;
