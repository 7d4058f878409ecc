import type { Catalog } from "../licensing/catalog.ts";

/** What the clients of the embedded services are given; any will do. */
export type LocalAws = { region: string; credentials: { accessKeyId: string; secretAccessKey: string } };

export const localAws: LocalAws = {
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};

/** On this machine alone, and holding no secret: that is read from its service, as on AWS. */
export type LocalParts = {
  region: string;
  table: { endpoint: string; name: string };
  queue: { endpoint: string; url: string };
  secrets: { endpoint: string; id: string };
  billmgr: string;
  catalog: Catalog;
  now: string;
};
