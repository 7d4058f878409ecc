import { request } from "node:http";
import type { LocalStack } from "../../local/stack.ts";

export type Answered = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

type Asked = { method?: string; headers?: Record<string, string>; body?: string };

/** Sends one request without fetch, which sets Host and Origin itself. */
export const ask = (stack: LocalStack, path: string, { method = "GET", headers = {}, body }: Asked = {}) =>
  new Promise<Answered>((resolve, reject) => {
    const sent = request(`${stack.url}${path}`, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });

export const tokenOf = async (stack: LocalStack): Promise<string> =>
  /name="token" value="([0-9a-f]{64})"/.exec((await ask(stack, "/account")).text)?.[1] ?? "";

/** A change as the form of a page sends it. `fields` and `headers` can replace any part of it. */
export async function change(
  stack: LocalStack,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const body = new URLSearchParams({ token: await tokenOf(stack), ...fields }).toString();
  return ask(stack, path, {
    method: "POST",
    headers: { origin: stack.url, "content-type": "application/x-www-form-urlencoded", ...headers },
    body,
  });
}

/** The visible text of a page. */
export const wordsOf = (page: string): string =>
  page
    .replace(/<(title|desc|script)[^>]*>.*?<\/\1>/gs, " ")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, " ");
