/** What the clients of the embedded services are given; any will do. */
export type LocalAws = { region: string; credentials: { accessKeyId: string; secretAccessKey: string } };

export const localAws: LocalAws = {
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};
