import { readBody, sendJson, serve } from "../../shared/http/serve.ts";

export type Entry = { DetailType: string; Detail: string; [field: string]: unknown };

/**
 * Stands for EventBridge before its real client: answers PutEvents as that does, with 200 also where it took none.
 * @param refuses whether it does not take an entry
 */
export async function serveEventBus(refuses: (entry: Entry) => boolean = () => false) {
  const batches: Entry[][] = [];
  const taken: Entry[] = [];
  const { url, close } = await serve(async (request, response) => {
    const { Entries } = JSON.parse((await readBody(request, 10_000_000)).toString("utf8")) as { Entries: Entry[] };
    batches.push(Entries);
    const came = Entries.map((entry) => {
      if (refuses(entry)) return { ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded" };
      taken.push(entry);
      return { EventId: "1" };
    });
    const FailedEntryCount = came.filter((entry) => "ErrorCode" in entry).length;
    sendJson(response, 200, { FailedEntryCount, Entries: came });
  });
  return { url, close, batches, taken };
}
