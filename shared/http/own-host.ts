/** Matches the Host header of requests to this machine. Blocks DNS rebinding: a foreign name that resolves to 127.0.0.1 still arrives in the header. */
export const ownHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/;
