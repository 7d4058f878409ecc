import { readBody, sendJson, serve } from "../../shared/http/serve.ts";

export type Entry = { DetailType: string; Detail: string; [field: string]: unknown };

/**
 * Serves EventBridge's PutEvents to its real client. As at AWS, the status is 200 even if all entries are refused.
 * @param refuses whether to refuse an entry
 */
export async function serveEventBus(refuses: (entry: Entry) => boolean = () => false) {
  const batches: Entry[][] = [];
  const taken: Entry[] = [];
  const { url, close } = await serve(async (request, response) => {
    const { Entries } = JSON.parse((await readBody(request, 10_000_000)).toString("utf8")) as { Entries: Entry[] };
    batches.push(Entries);
    const results = Entries.map((entry) => {
      if (refuses(entry)) return { ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded" };
      taken.push(entry);
      return { EventId: "1" };
    });
    const FailedEntryCount = results.filter((entry) => "ErrorCode" in entry).length;
    sendJson(response, 200, { FailedEntryCount, Entries: results });
  });
  return { url, close, batches, taken };
}
