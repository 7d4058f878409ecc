import { XMLParser, XMLValidator } from "fast-xml-parser";

/** An element: its text under "#text", attributes with a "$" before their names, children by name, each a list. */
export type Element = { [name: string]: Element[] | string };

export type Reply =
  | { kind: "document"; doc: Element }
  /** `type` and `object` are billmgr's own words; `message` is for people, in the language asked for. */
  | { kind: "error"; type: string; object?: string; message: string }
  /** Not an answer of billmgr's but of something before it, or cut short on the way. */
  | { kind: "unreadable"; why: string };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "$",
  alwaysCreateTextNode: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/**
 * Parses a response. The HTTP status is not the result: billmgr answers 200 for errors, and anything else than 200
 * comes from a proxy before it (observed by its clients).
 */
export function readReply(status: number, body: string): Reply {
  if (status !== 200) return { kind: "unreadable", why: `HTTP ${status}${titleOf(body)}` };
  const text = body.trim();
  if (text === "") return { kind: "unreadable", why: "an empty answer" };
  if (/^<!doctype html|^<html/i.test(text)) return { kind: "unreadable", why: `an HTML page${titleOf(text)}` };
  // Entities are declared in a document type, which no answer of billmgr's has.
  if (/<!doctype|<!entity/i.test(text)) return { kind: "unreadable", why: "XML with a document type" };
  if (XMLValidator.validate(text) !== true) return { kind: "unreadable", why: "XML that is not well formed" };
  const doc = framed.test(text) ? rootIn(text) : undefined;
  if (!doc) return { kind: "unreadable", why: "XML without <doc>" };
  const error = child(doc, "error");
  if (!error) return { kind: "document", doc };
  const object = attribute(error, "object");
  return {
    kind: "error",
    type: attribute(error, "type") ?? "",
    ...(object && { object }),
    message: textOf(error, "msg") ?? "",
  };
}

/** The validator lets anything within an instruction pass, references behind the root, and further roots that are empty. */
const framed = /^(?:<\?[^<>]*\?>\s*)*<doc[\s/>].*>$/s;

function rootIn(text: string): Element | undefined {
  try {
    const roots: Element = parser.parse(text);
    const names = Object.keys(roots).filter((name) => !name.startsWith("?"));
    const [doc, ...others] = children(roots, "doc");
    return names.length === 1 && others.length === 0 ? doc : undefined;
  } catch {
    return undefined;
  }
}

/** "Request in process, please wait" pages, CAPTCHA pages, and error pages of proxies have a title that names them. */
function titleOf(html: string): string {
  // The title is not cut here, because the redaction would not recognize a part of a secret.
  const title = /<title[^>]*>(.+?)<\/title/is.exec(html.slice(0, 2000))?.[1]?.trim();
  return title ? ` ("${title}")` : "";
}

/** The first child of that name, at any position. */
export function child(element: Element, name: string): Element | undefined {
  const found = Object.hasOwn(element, name) ? element[name]?.[0] : undefined;
  return typeof found === "object" ? found : undefined;
}

export function children(element: Element, name: string): Element[] {
  const found = Object.hasOwn(element, name) ? element[name] : undefined;
  return Array.isArray(found) ? found : [];
}

/** The text of the first child of that name; `undefined` when there is none or it is empty. */
export function textOf(element: Element, name: string): string | undefined {
  const text = child(element, name)?.["#text"];
  return typeof text === "string" && text.trim() !== "" ? decode(text.trim()) : undefined;
}

export function attribute(element: Element, name: string): string | undefined {
  const value = element[`$${name}`];
  return typeof value === "string" && value !== "" ? decode(value) : undefined;
}

const predefined: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The five entities that XML itself defines, and no others. */
const decode = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => predefined[name] ?? "");
