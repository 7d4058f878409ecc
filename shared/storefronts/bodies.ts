/** A parsed JSON text, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Fields = { [name: string]: string | Fields };

/**
 * A form as PHP's http_build_query writes it, "items[0][type]=Hosting": fields within fields. Undefined where the text
 * is none. Names come from outside, so nothing is inherited: "__proto__" is a field like others.
 */
export function parseForm(text: string): Fields | undefined {
  if (!/^[^=&]+=/.test(text)) return undefined;
  const form: Fields = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.replaceAll("]", "").split("[");
    const last = path.pop() ?? "";
    let fields = form;
    for (const key of path) {
      const held = fields[key];
      const inner: Fields = typeof held === "object" ? held : Object.create(null);
      fields[key] = inner;
      fields = inner;
    }
    fields[last] = value;
  }
  return form;
}
