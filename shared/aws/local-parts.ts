import type { Catalog } from "../licensing/catalog.ts";

/** Settings for the clients of the embedded services, which accept any region and credentials. */
export type LocalAws = { region: string; credentials: { accessKeyId: string; secretAccessKey: string } };

export const localAws: LocalAws = {
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};

/** The addresses of the local system's embedded services. Secrets are not included; clients read them from their service, as on AWS. */
export type LocalParts = {
  region: string;
  table: { endpoint: string; name: string };
  queue: { endpoint: string; url: string };
  secrets: { endpoint: string; id: string };
  billmgr: string;
  catalog: Catalog;
  now: string;
};
