import { createServer } from "node:http";
import { close, listen } from "../../shared/http/serve.ts";

/**
 * A second billmgr, written only from the documentation, without the simulator's code. A mistake in the simulator and the
 * client is less likely to be repeated here. Each test replaces the replies that it is about.
 */
export type PlainLicense = {
  id: number;
  pricelist: string;
  status: 1 | 2 | 3 | 4 | 5;
  autosuspended?: boolean;
  expiredate: string;
  createdate: string;
  remoteid: string;
  comment: string;
  addons: Record<string, string>;
};

type Params = Record<string, string>;
export type PlainBillmgr = Awaited<ReturnType<typeof servePlainBillmgr>>;

const day = (time: Date): string => time.toISOString().slice(0, 10);

export function plusMonths(from: string, months: number): string {
  const [year = 0, month = 0, date = 0] = from.split("-").map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return day(new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))));
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const doc = (inner: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n<doc lang="en">${inner}</doc>`;
const element = (name: string, value: string | number): string => `<${name}>${escaped(String(value))}</${name}>`;

export async function servePlainBillmgr(now: () => Date) {
  const licenses: PlainLicense[] = [];
  const calls: Params[] = [];
  /** Replaces the reply to a call; undefined leaves it as it is. It may act by `act`. */
  let override: (params: Params, act: () => string) => string | undefined = () => undefined;
  /** How a status is shown in a form and in a row. */
  let status = (license: PlainLicense): string =>
    `<item_status orig="${license.status}${license.autosuspended ? "_autosuspend" : ""}">shown</item_status>`;
  let form = (license: PlainLicense): string =>
    element("remoteid", license.remoteid) + element("comment", license.comment);
  let row = form;

  const ageLicenses = () => {
    for (const license of licenses) {
      if (license.status !== 2 || license.expiredate > day(now())) continue;
      license.status = 3;
      license.autosuspended = true;
    }
  };
  const find = (elid: string | undefined) => licenses.find(({ id }) => String(id) === elid);
  const missed = '<error type="missed" object="elid"><msg>The item does not exist</msg></error>';
  const addonsOf = (params: Params) =>
    Object.fromEntries(Object.entries(params).filter(([name]) => /^addon_\d+$/.test(name)));

  function perform(params: Params): string {
    const [, func = ""] = (params.func ?? "").split(".");
    if (params.func === "whoami") return '<user balance="1000.00" currency="EUR"/>';
    if (params.func === "platform.filter") return "<status/><pricelist/><id/>";
    if (params.func === "platform") {
      const rows = licenses.map(
        (one) =>
          `<elem>${element("id", one.id)}<pricelist>VMmanager 6</pricelist>${element("real_expiredate", one.expiredate)}${element("createdate", one.createdate)}${status(one)}${row(one)}</elem>`,
      );
      return `${rows.join("")}${element("p_elems", licenses.length)}`;
    }
    if (func === "order") {
      const id = 5000 + licenses.length;
      const today = day(now());
      licenses.push({
        id,
        pricelist: params.pricelist ?? "",
        status: 2,
        expiredate: plusMonths(today, Number(params.period)),
        createdate: today,
        remoteid: params.remoteid ?? "",
        comment: params.comment ?? "",
        addons: addonsOf(params),
      });
      return `${element("id", id)}<ok/>`;
    }
    const license = find(params.elid);
    if (!license) return missed;
    if (params.func === "service.prolong") {
      if (params.sok !== "ok") return element("expiredate", license.expiredate);
      license.expiredate = plusMonths(license.expiredate, Number(params.period));
      if (license.autosuspended && license.expiredate > day(now())) {
        license.status = 2;
        delete license.autosuspended;
      }
      return `<doc>${element("newexpiredate", license.expiredate)}</doc><ok/>`;
    }
    if (func === "edit" && params.sok !== "ok") {
      const addons = Object.entries(license.addons).map(([name, value]) => element(name, value));
      return `${element("elid", license.id)}${element("pricelist", license.pricelist)}${element("expiredate", license.expiredate)}${element("createdate", license.createdate)}${addons.join("")}${status(license)}${form(license)}`;
    }
    if (func === "edit") Object.assign(license.addons, addonsOf(params));
    if (func === "suspend") license.status = 3;
    if (func === "resume") {
      license.status = 2;
      delete license.autosuspended;
    }
    if (func === "delete") license.status = 4;
    return "<ok/>";
  }

  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      const { authinfo, ...params } = Object.fromEntries(new URLSearchParams(text));
      calls.push(params);
      ageLicenses();
      let acted: string | undefined;
      const act = () => {
        acted ??= perform(params);
        return acted;
      };
      const body = override(params, act) ?? act();
      response.writeHead(200, { "content-type": "text/xml" }).end(doc(body));
    });
  });
  const origin = await listen(server);
  const changes = /^(platform\.(order\.param|suspend|resume|delete)|service\.prolong)$/;
  return {
    url: `${origin}/billmgr`,
    licenses,
    calls,
    /** The changing calls, each as the last word of its function and the license. */
    changes: () =>
      calls
        .filter(({ func = "", sok }) => changes.test(func) || (func === "platform.edit" && sok === "ok"))
        .map(({ func = "", elid }) => `${func.replace(".param", "").split(".").at(-1)}${elid ? ` ${elid}` : ""}`),
    reply: (to: typeof override) => {
      override = to;
    },
    show: (how: { status?: typeof status; form?: typeof form; row?: typeof form }) => {
      status = how.status ?? status;
      form = how.form ?? form;
      row = how.row ?? row;
    },
    stop: () => close(server),
  };
}
