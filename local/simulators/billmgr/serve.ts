import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSandbox, type Sandbox, type SandboxOptions } from "./index.ts";

/** Serves a sandbox on its own port, for tests. */
export async function serveSandbox(
  options: SandboxOptions,
): Promise<{ sandbox: Sandbox; origin: string; url: string; close(): Promise<void> }> {
  const sandbox = createSandbox(options);
  const server = createServer(async (request, response) => {
    if (!(await sandbox.handle(request, response))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    sandbox,
    origin,
    url: `${origin}/manager/billmgr`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
