/** billmgr's XML: elements, their rendering, and the parts that all documents share. */

export type Element = { name: string; attributes: Record<string, string>; children: readonly (Element | string)[] };

export function element(
  name: string,
  attributes: Record<string, string>,
  children: readonly (Element | string)[],
): Element {
  return { name, attributes, children };
}

export function field(name: string, value: string | number, attributes: Record<string, string> = {}): Element {
  return { name, attributes, children: value === "" ? [] : [String(value)] };
}

/** The `ok` of a success document. It may redirect, and a redirect to the cart does not prove a payment. */
export function ok(type?: string, target?: string): Element {
  return field("ok", target ?? "", type ? { type } : {});
}

/** Becomes an error document. Its HTTP status is 200, as for every error of billmgr. */
export class Refusal extends Error {
  readonly type: string;
  readonly object: string;
  readonly value: string | undefined;

  constructor(type: string, object: string, message: string, value?: string) {
    super(message);
    this.type = type;
    this.object = object;
    this.value = value;
  }
}

export type Envelope = { func: string; user: string; params: Record<string, string> };

export function errorDocument(envelope: Envelope, refusal: Refusal): string {
  const { type, object, value, message } = refusal;
  const error = element("error", { type, object, lang: "en", code: legacyCodes.get(type) ?? "1" }, [
    field("param", object, { name: "object", type: "msg", msg: object }),
    ...(value === undefined ? [] : [field("param", value, { name: "value" })]),
    element("stack", {}, [field("action", envelope.func, { level: "30", user: envelope.user })]),
    field("group", "__object__: __value__"),
    field("msg", message),
  ]);
  return documentOf(envelope, [error]);
}

/** The error numbers of billmgr 4, which billmgr still sends (docs: Error codes). */
const legacyCodes = new Map([
  ["exists", "2"],
  ["missed", "3"],
  ["value", "4"],
  ["limit", "5"],
  ["access", "6"],
]);

/** Adds the presentation attributes and the echo of the request that billmgr sends (observed in a captured reply). */
export function documentOf({ func, params }: Envelope, children: readonly Element[]): string {
  const echo = Object.entries(params)
    .filter(([name]) => /^[A-Za-z_][\w.-]*$/.test(name))
    .map(([name, value]) => field(name, value));
  const root = element(
    "doc",
    {
      lang: "en",
      func,
      binary: "/billmgr",
      host: "https://billmgr.sandbox",
      themename: "orion",
      theme: "orion",
      features: "5a7d4b0c",
      notify: "",
      branddir: "https://billmgr.sandbox/manimg/orion/",
    },
    [...children, element("tparams", {}, echo), element("saved_filters", {}, [])],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render(root)}`;
}

function render({ name, attributes, children }: Element): string {
  const start = Object.entries(attributes).reduce((tag, [key, value]) => `${tag} ${key}="${escapeXml(value)}"`, name);
  const inner = children.map((child) => (typeof child === "string" ? escapeXml(child) : render(child))).join("");
  return inner === "" ? `<${start}/>` : `<${start}>${inner}</${name}>`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** For text and attributes alike. Characters that XML 1.0 cannot carry become U+FFFD. */
function escapeXml(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replace(/[&<>"'\t\n\r]/g, (character) => entities[character] ?? character);
}
