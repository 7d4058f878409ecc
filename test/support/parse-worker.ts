import { parentPort, workerData } from "node:worker_threads";
import { pageOf } from "../../shared/billmgr/license.ts";
import { readReply } from "../../shared/billmgr/reply.ts";

/** Reads one answer in a thread that can be stopped, and whose memory has an end. */
const reply = readReply(200, workerData as string);
if (reply.kind === "document") pageOf(reply.doc);
parentPort?.postMessage(reply.kind);
