import { parseSecrets } from "../../shared/aws/secrets.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { readBillmgrUrl } from "../../shared/command-line/billmgr-url.ts";
import { readFile, UsageError } from "../../shared/command-line/usage-error.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { describe } from "../../shared/licensing/operation.ts";
import type { Finding } from "../actions/finding.ts";
import { type Probed, type ProbeWorld, probe } from "../actions/probe.ts";
import { type Step, type Trial, trialOrderOf, tryTrial } from "../actions/trial.ts";
import { brakeOfOwn } from "./billmgr.ts";
import { type Command, type Given, type Outcome, textOf } from "./command.ts";
import { columns } from "./text.ts";

export const probeCommand: Command = {
  takes: [],
  about: "find out what a billmgr account shows, before going live",
  options: {
    billmgr: { type: "string" },
    secrets: { type: "string" },
    "trial-order": { type: "string" },
  },
  help: `  --billmgr URL        without any stack: billmgr's address, with --secrets
  --secrets FILE       { "billmgr": "user:password" }
  --trial-order PLAN   then orders, edits, suspends, resumes and deletes a trial license of that plan
  Without --trial-order it only reads. It empties the filters of the account's lists, as the system does.`,
  async run(given) {
    const account = await accountOf(given);
    const plan = textOf(given, "trial-order");
    if (plan !== undefined) {
      const order = describe(trialOrderOf(plan, account));
      await given.confirm(`This is to ${order} at ${account.billmgrUrl}, and to delete it again.`);
      return trialOutcome(given, plan, account);
    }
    const probed = await probe(account);
    return { data: probed, text: textOfProbed(probed), failed: failed(probed) };
  },
};

type Account = ProbeWorld & { billmgrUrl: string };

async function accountOf(given: Given): Promise<Account> {
  const [address, file] = [textOf(given, "billmgr"), textOf(given, "secrets")];
  if (address === undefined && file === undefined) return given.connect();
  if (address === undefined || file === undefined) throw new UsageError("--billmgr and --secrets belong together");
  const catalog = readFile(textOf(given, "catalog") ?? "catalog.json", "catalog", parseCatalog);
  const { billmgr } = readFile(file, "secrets", parseSecrets);
  const { fundsErrors } = catalog.billmgr;
  const billmgrUrl = readBillmgrUrl(address);
  return {
    catalog,
    billmgrUrl,
    billmgr: createBillmgr(postTo(billmgrUrl), async () => billmgr, { breaker: brakeOfOwn(), fundsErrors }),
  };
}

async function trialOutcome(given: Given, plan: string, deps: Account): Promise<Outcome> {
  const probed = await probe(deps);
  const reference = `bw-probe-${Date.now().toString(36)}`;
  const backoff = () => new Promise<void>((resolve) => setTimeout(resolve, 5000));
  const trial = failed(probed)
    ? { steps: [] }
    : await tryTrial(plan, { ...deps, reference, pause: backoff }, ({ did, outcome }) =>
        given.progress(`${did}: ${outcome}`),
      );
  const text = `${textOfProbed(probed)}\n\n${textOfTrial(trial)}`;
  return { data: { ...probed, trial }, text, failed: failed(probed) || trial.left !== undefined };
}

const failed = ({ findings }: Probed): boolean => findings[0]?.found !== "yes";

const row = ({ found, about, detail }: Finding): string[] => [found, about, detail];

function textOfProbed({ findings, able }: Probed): string {
  const found = columns(findings.map(row));
  return able.length === 0 ? found : `${found}\n\nThe system will be able to:\n${columns(able.map(row), "  ")}`;
}

function textOfTrial({ steps, left }: Trial): string {
  const lines = steps.map(
    ({ did, outcome, said: response, saw: evidence }: Step) => `${did}\n  ${outcome}: ${response}\n  ${evidence}`,
  );
  if (steps.length === 0) lines.push("no trial was ordered");
  if (left !== undefined) lines.push(`THE TRIAL ${left} IS NOT DELETED: look for it in billmgr, and delete it there`);
  return lines.join("\n");
}
