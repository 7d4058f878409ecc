import type { Delivery } from "./fixtures.ts";

/** PHP's http_build_query. */
const fieldsOf = (value: unknown, name = ""): string[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner, name ? `${name}[${key}]` : key))
    : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`];

/** The delivery with a form for its body. A single value has no field name, so HostBill sends it as JSON. */
export const asForm = (delivery: Delivery): Delivery =>
  typeof delivery.body === "object"
    ? {
        ...delivery,
        text: fieldsOf(delivery.body).join("&"),
        headers: { ...delivery.headers, "content-type": "application/x-www-form-urlencoded" },
      }
    : delivery;
