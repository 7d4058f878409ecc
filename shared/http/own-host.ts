/** Matches the Host header of a local server. Blocks DNS rebinding: a foreign name that resolves to 127.0.0.1 still arrives in this header. */
export const ownHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/;
