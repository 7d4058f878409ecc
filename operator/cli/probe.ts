/** `ops probe` */
import { parseSecrets } from "../../shared/aws/secrets.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { readBillmgrUrl } from "../../shared/command-line/billmgr-url.ts";
import { readFile, UsageError } from "../../shared/command-line/usage-error.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { describe } from "../../shared/licensing/operation.ts";
import type { Finding } from "../actions/finding.ts";
import { type ProbeDependencies, type Probed, probe } from "../actions/probe.ts";
import { runTrial, type Trial, trialOrderOf } from "../actions/trial.ts";
import { createOperatorBreaker } from "./billmgr.ts";
import { type Command, type CommandResult, type Invocation, textOption } from "./command.ts";
import { formatColumns } from "./text.ts";

export const probeCommand: Command = {
  parameters: [],
  summary: "check what a billmgr account allows and shows, before going live",
  options: {
    billmgr: { type: "string" },
    secrets: { type: "string" },
    "trial-order": { type: "string" },
  },
  help: `  --billmgr URL        probe this address without a stack; needs --secrets
  --secrets FILE       { "billmgr": "user:password" }
  --trial-order PLAN   also order, edit, suspend, resume, and delete a trial license of this plan
  Without --trial-order it only reads. It clears the filters of the account's lists, as the system does.`,
  async run(invocation) {
    const account = await openAccount(invocation);
    const plan = textOption(invocation, "trial-order");
    if (plan !== undefined) {
      const order = describe(trialOrderOf(plan, account));
      await invocation.confirm(`This will ${order} at ${account.billmgrUrl}, and delete the license again.`);
      return probeWithTrial(invocation, plan, account);
    }
    const probed = await probe(account);
    return { data: probed, text: formatProbed(probed), failed: hasFailed(probed) };
  },
};

type Account = ProbeDependencies & { billmgrUrl: string };

async function openAccount(invocation: Invocation): Promise<Account> {
  const [address, file] = [textOption(invocation, "billmgr"), textOption(invocation, "secrets")];
  if (address === undefined && file === undefined) return invocation.connect();
  if (address === undefined || file === undefined)
    throw new UsageError("--billmgr and --secrets must be passed together");
  const catalog = readFile(textOption(invocation, "catalog") ?? "catalog.json", "catalog", parseCatalog);
  const { billmgr } = readFile(file, "secrets", parseSecrets);
  const { fundsErrors } = catalog.billmgr;
  const billmgrUrl = readBillmgrUrl(address);
  const breaker = createOperatorBreaker();
  return {
    catalog,
    billmgrUrl,
    billmgr: createBillmgr(postTo(billmgrUrl), async () => billmgr, { breaker, fundsErrors }),
  };
}

const trialReadIntervalMs = 5000;

async function probeWithTrial(invocation: Invocation, plan: string, account: Account): Promise<CommandResult> {
  const probed = await probe(account);
  const deps = {
    ...account,
    reference: `bw-probe-${Date.now().toString(36)}`,
    wait: () => new Promise<void>((resolve) => setTimeout(resolve, trialReadIntervalMs)),
  };
  const trial = hasFailed(probed)
    ? { steps: [] }
    : await runTrial(plan, deps, ({ change, outcome }) => invocation.progress(`${change}: ${outcome}`));
  const text = `${formatProbed(probed)}\n\n${formatTrial(trial)}`;
  return { data: { ...probed, trial }, text, failed: hasFailed(probed) || trial.left !== undefined };
}

/** Only a refused login fails the command: every other answer is what the operator wants to know. */
const hasFailed = ({ findings }: Probed): boolean => findings[0]?.found !== "yes";

const rowOf = ({ found, about, detail }: Finding): string[] => [found, about, detail];

function formatProbed({ findings, able }: Probed): string {
  const text = formatColumns(findings.map(rowOf));
  return able.length === 0 ? text : `${text}\n\nThe system will be able to:\n${formatColumns(able.map(rowOf), "  ")}`;
}

function formatTrial({ steps, left }: Trial): string {
  const lines = steps.map(
    ({ change, outcome, response, evidence }) => `${change}\n  ${outcome}: ${response}\n  ${evidence}`,
  );
  if (steps.length === 0) lines.push("no trial was ordered");
  if (left !== undefined)
    lines.push(`THE TRIAL LICENSE ${left} IS NOT DELETED: find it in billmgr and delete it there`);
  return lines.join("\n");
}
