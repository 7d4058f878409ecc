import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { LocalParts } from "../../shared/aws/local-parts.ts";
import { type Served, serve } from "../../shared/http/serve.ts";
import { referenceOf } from "../../shared/licensing/operation.ts";
import { run } from "../support/command.ts";
import { advanceMinutes, authinfo, done, inDays, paid, postToBillmgr, tell, testCatalog } from "../support/local.ts";
import { authinfoWith, canary } from "../support/secrets.ts";
import { useTestStack } from "../support/test-stack.ts";

// Some tests start several processes in sequence.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const stack = useTestStack();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-ops-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const ops = (...args: string[]) => run([...args, "--url", stack.url]);

const minute = () => advanceMinutes(stack, 1);
const refuseOrder = async () => {
  stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await stack.settle();
};

test("an operator lists attention, reads the history, retries, and reconciles", {
  timeout: 60_000,
}, async () => {
  await refuseOrder();
  const listed = await ops("attention");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out).toContain("error value/pricelist");
  expect(listed.out).toContain("repairs: retry standard/42 | resolve standard/42 --adopt ELID");
  expect(JSON.parse((await ops("attention", "--json")).out)).toMatchObject({ items: [{ name: "standard/42" }] });

  expect(await ops("retry", "standard/42")).toMatchObject({ code: 0, out: "standard/42 is being processed again\n" });
  await minute();
  const { out } = await ops("show", "standard/42");
  for (const text of [
    "1 × vm6-monthly",
    "334673",
    "event msg_",
    "payment.succeeded, occurred 20",
    "operation 1: order",
    "refused",
    "operation 2: order",
  ]) {
    expect(out).toContain(text);
  }
  expect(out).not.toContain(authinfo.split(":")[1]);
  expect(JSON.parse((await ops("show", "standard/42", "--json")).out)).toMatchObject({ name: "standard/42" });
  expect((await ops("attention")).out).toBe("nothing needs attention\n");
  expect(await ops("reconcile")).toMatchObject({ code: 0, out: expect.stringContaining("no differences") });
});

test("a subscription is found only by exact values that a customer quotes or billmgr shows", async () => {
  const customer = { customer: { id: "c-7", email: "Jo@example.com" } };
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription: "a", ...customer }));
  await tell(stack, "subscription.changed", { subscription: "b", plan: "vm6-monthly", quantity: 1, ...customer });
  await minute();
  const both =
    "standard/a  customer c-7, Jo@example.com  license 334673\nstandard/b  customer c-7, Jo@example.com  no license\n";
  for (const text of ["jo@example.com", "c-7"])
    expect(await ops("find", text)).toEqual({ code: 0, err: "", out: both });
  const reference = referenceOf({ storefront: "standard", id: "a" }, { n: 1, generation: 1 });
  for (const text of ["334673", reference, "a"]) {
    expect(JSON.parse((await ops("find", text, "--json")).out)).toEqual([
      { name: "standard/a", customer: "c-7", email: "Jo@example.com", licenses: ["334673"] },
    ]);
  }
  expect(await ops("find", "example.com")).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^no subscription has "example.com" as its id, customer id/),
  });
});

test("one command retries several subscriptions", async () => {
  for (const subscription of ["a", "b"]) {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
  }
  await minute();
  const retried = await ops("retry", "standard/a", "standard/b");
  expect(retried.code).toBe(0);
  expect(retried.out).toBe("standard/a is being processed again\nstandard/b is being processed again\n");
});

test("a difference gives exit code 1, with --json too", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await minute();
  await postToBillmgr(stack, { func: "platform.delete", elid: "334673" });
  const { code, out } = await ops("reconcile", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ differences: [{ subscription: "standard/42", what: "deleted" }] });
  const gone = await ops("resolve", "standard/42", "--gone", "334673", "--yes");
  expect(gone).toMatchObject({
    code: 0,
    out: expect.stringContaining("operation 2, delete license 334673: already done"),
  });
});

describe("a command that cannot be undone asks for confirmation", () => {
  test.each([
    [["halt", "maintenance"]],
    [["resolve", "standard/42", "--never-bought"]],
    [["replay", "standard/msg_1"]],
    [["dismiss", "standard/msg_1", "a test"]],
    [["probe", "--trial-order", "dci6-trial"]],
  ])("%j does nothing without a terminal and without --yes", async (args) => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await minute();
    const { code, err, out } = await ops(...args);
    expect(code).toBe(1);
    expect(err).toContain("Confirmation required, but stdin is not a terminal. Pass --yes.");
    expect(out).toBe("");
    expect(await stack.table.halt()).toBeUndefined();
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("halt and resume", async () => {
    expect(await ops("halt", "new", "password", "--yes")).toMatchObject({
      code: 0,
      out: expect.stringContaining(": new password"),
    });
    expect((await ops("attention")).out).toContain("ALL CALLS ARE HALTED");
    expect(await ops("resume")).toMatchObject({ code: 0, out: expect.stringContaining("is lifted") });
    expect(await stack.table.halt()).toBeUndefined();
  });
});

test("an event is shown with its body, and dismissed with a reason", async () => {
  await tell(stack, "payment.succeeded", { plan: "vm6-monthly", payment: "p1" }, { id: "odd" });
  await stack.settle();
  expect((await ops("show", "standard/odd")).out).toMatch(/data\.paidThrough.*missing[\s\S]*"plan": "vm6-monthly"/);
  expect(await ops("replay", "standard/odd", "--yes")).toMatchObject({
    code: 1,
    out: expect.stringContaining("still not understood"),
  });
  expect(await ops("dismiss", "standard/odd", "a", "test", "--yes")).toMatchObject({ code: 0 });
  expect((await ops("attention")).out).toBe("nothing needs attention\n");
});

test("preview reads a webhook from a file, for a given time", async () => {
  const data = { subscription: "42", ...paid(inDays(stack, 30)) };
  const event = file("event.json", { type: "payment.succeeded", timestamp: "2026-11-23T08:00:00Z", data });
  const { code, out } = await ops("preview", event, "--at", "2026-11-24T08:00:00Z");
  expect(code).toBe(0);
  expect(out).toMatch(/for standard\/42 \(new\)\n {2}order vmmanager6 for a month[\s\S]*func=platform\.order\.param/);
  expect(await ops("preview", event, "--at", "soon")).toMatchObject({
    code: 1,
    err: expect.stringContaining('--at: found "soon"'),
  });
});

test("probe works without a stack", async () => {
  const secrets = file("secrets.json", { billmgr: authinfo });
  const catalog = file("catalog.json", testCatalog());
  const account = ["--billmgr", `${stack.url}/manager/billmgr`, "--catalog", catalog];
  const probed = await run(["probe", ...account, "--secrets", secrets]);
  expect(probed).toMatchObject({ code: 0, out: expect.stringMatching(/^yes +the login works/) });
  const wrong = file("wrong.json", { billmgr: authinfoWith("-of-old") });
  const refused = await run(["probe", ...account, "--secrets", wrong, "--json"]);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject({ findings: [{ found: "no" }], able: [] });
  expect(refused.out + refused.err).not.toContain(canary);
});

describe("an error is explained without a stack trace", () => {
  test.each([
    [["atention"], 'no such command "atention"; did you mean "attention"?'],
    [["--json"], 'found "--json"; the command comes first'],
    [["show"], "<subscription or event> is missing"],
    [["show", "a/1", "b/2"], 'unexpected argument "b/2"'],
    [["retry", "standard/1", "--jsn"], '--jsn is not an option; did you mean "json"?'],
    [["resolve", "standard/1", "--yes"], "resolve needs exactly one of --adopt, --never-bought, --done, --gone"],
    [["resolve", "standard/1", "--done", "--gone", "5", "--yes"], "resolve needs exactly one of"],
    [["retry", "standard/none"], "no subscription standard/none is known"],
    [["show", "strpe/1"], 'no such storefront; did you mean "stripe"?'],
    [["show", "standard/none"], "no subscription and no event standard/none is known"],
    [["preview", "nowhere.json"], "nowhere.json does not exist"],
    [["probe", "--secrets", "s.json"], "--billmgr and --secrets must be passed together"],
  ])("%j", async (args, response) => {
    const { code, err } = await ops(...args);
    expect(code).toBe(1);
    expect(err).toContain(response);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("no system at the address", async () => {
    const { code, err } = await run(["attention", "--url", "http://127.0.0.1:1025"]);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining("nothing answers at http://127.0.0.1:1025: is npm start running?"),
    ]);
  });

  test("wrong usage is answered with the problem and a pointer to the help", async () => {
    expect((await run(["retry", "standard/1", "--jsn"])).err).toBe(
      '--jsn is not an option; did you mean "json"?\nsee: npm run ops -- retry --help\n',
    );
  });

  test("each command has its own help", async () => {
    const { code, out } = await run(["resolve", "--help"]);
    expect([code, out]).toEqual([0, expect.stringContaining("--never-bought")]);
    expect((await run([])).out).toContain("reconcile");
  });
});

describe("a deployed stack", () => {
  let cloudFormation: Served;
  let parts: LocalParts;
  const asked: string[] = [];
  beforeEach(async () => {
    parts = (await (await fetch(`${stack.url}/local/parts`)).json()) as LocalParts;
    // As CloudFormation answers (docs: ListStackResources), page by page. The CDK appends a hash to each name.
    const resources = [
      ["AWS::SQS::Queue", "DeadLetters8B8E2C4A", "https://sqs.example/dead-letters.fifo"],
      // The client connects to the host of the queue's address, which would not exist here.
      ["AWS::SQS::Queue", "Queue4A7E3555", parts.queue.endpoint + new URL(parts.queue.url).pathname],
      ["AWS::DynamoDB::Table", "TableCD117FA1", parts.table.name],
      ["AWS::SecretsManager::Secret", "Secrets", parts.secrets.id],
    ].map(
      ([
        type,
        logical,
        physical,
      ]) => `<member><ResourceType>${type}</ResourceType><LogicalResourceId>${logical}</LogicalResourceId>
        <PhysicalResourceId>${physical}</PhysicalResourceId></member>`,
    );
    cloudFormation = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const form = new URLSearchParams(body);
      asked.push(form.get("StackName") ?? "");
      const known = asked.at(-1) === "shop";
      const page = Number(form.get("NextToken") ?? 0);
      const next = page + 1 < resources.length ? `<NextToken>${page + 1}</NextToken>` : "";
      const answer = known
        ? `<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStackResourcesResult>
            <StackResourceSummaries>${resources[page]}</StackResourceSummaries>${next}</ListStackResourcesResult></ListStackResourcesResponse>`
        : `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>
            <Code>ValidationError</Code><Message>Stack with id other does not exist</Message></Error></ErrorResponse>`;
      response.writeHead(known ? 200 : 400, { "content-type": "text/xml" }).end(answer);
    });
  });
  afterEach(() => cloudFormation.close());

  /** AWS's standard environment variables direct the clients to the embedded services. */
  const deployed = (...args: string[]) => {
    const { url } = testCatalog().billmgr;
    const catalog = file("deployed.json", { ...testCatalog(), billmgr: { url: `${stack.url}/manager/billmgr` } });
    expect(url).toContain("https:");
    return run([...args, "--catalog", catalog, "--region", "eu-central-1"], {
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
      AWS_ENDPOINT_URL_DYNAMODB: parts.table.endpoint,
      AWS_ENDPOINT_URL_SQS: parts.queue.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: parts.secrets.endpoint,
    });
  };

  test("is found by its resources, and used through the same clients", async () => {
    await refuseOrder();
    expect((await deployed("attention", "--stack", "shop")).out).toContain("standard/42");
    expect(await deployed("retry", "standard/42", "--stack", "shop")).toMatchObject({ code: 0, err: "" });
    await minute();
    expect(done(stack)).toEqual(["order 334673"]);
    expect(await deployed("reconcile", "--stack", "shop")).toMatchObject({
      code: 0,
      out: expect.stringContaining("no differences"),
    });
    expect(asked.every((name) => name === "shop")).toBe(true);
  });

  test("that does not exist is reported with AWS's message", async () => {
    const { code, err } = await deployed("attention", "--stack", "other");
    expect([code, err]).toEqual([1, "AWS: ValidationError: Stack with id other does not exist\n"]);
  });

  test("of another system is refused", async () => {
    await cloudFormation.close();
    cloudFormation = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/xml" });
      response.end(
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/></ListStackResourcesResult></ListStackResourcesResponse>",
      );
    });
    const { code, err } = await deployed("attention", "--stack", "shop");
    expect([code, err]).toEqual([1, expect.stringContaining("the stack shop has no Table")]);
  });
});
