import { parentPort, workerData } from "node:worker_threads";
import { pageOf } from "../../shared/billmgr/license.ts";
import { readReply } from "../../shared/billmgr/reply.ts";

/** Reads one reply in a thread that can be stopped, and whose memory is limited. */
const reply = readReply(200, workerData as string);
if (reply.kind === "document") pageOf(reply.doc);
parentPort?.postMessage(reply.kind);
