import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricUnits } from "../../shared/observability/metrics.ts";
import { formatted, fullStack, root } from "../support/synthesized.ts";

/** One metric of a widget or an alarm, with formatted references. */
type MetricUse = { where: string; namespace: string; name: string; dimensions: Record<string, string> };
// biome-ignore lint/suspicious/noExplicitAny: CloudWatch's own formats
type Any = any;

const pairs = (flat: string[]): Record<string, string> =>
  Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]));

/** docs: CloudWatch dashboard body structure. `[namespace, name, dimension, value, ..., options]`, or `[{ expression }]`. */
function inWidget({ properties }: { properties: Any }): MetricUse[] {
  return (properties.metrics ?? []).map((metric: Any[]) => {
    const where = properties.title;
    const parts = metric.filter((part) => typeof part === "string");
    if (parts.length > 0) return { where, namespace: parts[0], name: parts[1], dimensions: pairs(parts.slice(2)) };
    const found =
      /^SEARCH\('\{"(?<namespace>.*?)",(?<schema>[\w,]+)\} MetricName="(?<name>\w+)" service="(?<service>\w+)"', 'Sum', 300\)$/.exec(
        metric[0].expression,
      )?.groups;
    const { namespace = "", schema = "", name = "", service = "" } = found ?? {};
    const dimensions = Object.fromEntries(schema.split(",").map((dimension) => [dimension, "any"]));
    return { where, namespace, name, dimensions: { ...dimensions, service } };
  });
}

function inAlarm({ Properties }: { Properties: Any }): MetricUse {
  const dimensions = (Properties.Dimensions ?? []).map(({ Name, Value }: Any) => [Name, formatted(Value)]);
  const { AlarmName: where, Namespace: namespace, MetricName: name } = Properties;
  return { where, namespace, name, dimensions: Object.fromEntries(dimensions) };
}

const ownMetrics = () => uses.filter(({ namespace }) => namespace === "shop");

const stack = fullStack();
const widgets: { type: string; properties: Any }[] = JSON.parse(
  formatted(stack.resource("AWS::CloudWatch::Dashboard", "Dashboard").Properties.DashboardBody),
).widgets;
const uses: MetricUse[] = [
  ...widgets.flatMap(inWidget),
  ...Object.values(stack.resources("AWS::CloudWatch::Alarm")).map(inAlarm),
];

test("dashboard and alarms use exactly the metrics that the functions publish", () => {
  expect([...new Set(ownMetrics().map(({ name }) => name))].sort()).toEqual(Object.keys(metricUnits).sort());
});

test("each metric is read from the stack's namespace, with its function as the service", () => {
  const functions = Object.values(stack.resources("AWS::Lambda::Function")).map(
    ({ Properties }) => Properties.Environment.Variables,
  );
  for (const { where, name, dimensions } of ownMetrics()) {
    const { service = "", ...further } = dimensions;
    const writer = functions.find(({ POWERTOOLS_SERVICE_NAME }) => POWERTOOLS_SERVICE_NAME === service);
    expect({ where, name, service, namespace: writer?.POWERTOOLS_METRICS_NAMESPACE }).toMatchObject({
      namespace: "shop",
    });
    expect(further).toEqual(name === "Webhooks" ? { storefront: "any", answer: "any" } : {});
  }
});

test("each metric is read from the function whose code contains its name", () => {
  const codeOf = (service: string): string => {
    const folder = join(root, "functions", service);
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), "utf8"))
      .join();
  };
  for (const { name, dimensions } of ownMetrics()) expect(codeOf(dimensions.service ?? "")).toContain(`"${name}"`);
});

test("AWS's own metrics are those of this stack's resources", () => {
  const types: Record<string, [type: string, dimension: string, attribute: string]> = {
    "AWS/Lambda": ["AWS::Lambda::Function", "FunctionName", ""],
    "AWS/SQS": ["AWS::SQS::Queue", "QueueName", ".QueueName"],
    "AWS/ApiGateway": ["AWS::ApiGatewayV2::Api", "ApiId", ""],
  };
  const others = uses.filter(({ namespace }) => namespace !== "shop");
  expect([...new Set(others.map(({ namespace }) => namespace))].sort()).toEqual(Object.keys(types).sort());
  for (const { where, namespace, dimensions } of others) {
    const [type, dimension, attribute] = types[namespace] ?? ["", "", ""];
    const known = Object.keys(stack.resources(type)).map((name) => `<${name}${attribute}>`);
    expect([where, Object.keys(dimensions)]).toEqual([where, [dimension]]);
    expect(known).toContain(dimensions[dimension]);
  }
});

test("the dashboard has three sections below the alarms, and no empty widget", () => {
  expect(
    widgets.filter(({ type }) => type === "text").map(({ properties }) => properties.markdown.split(":")[0]),
  ).toEqual(["## Money", "## Flow", "## Health"]);
  const [first] = widgets;
  const alarms = Object.keys(stack.resources("AWS::CloudWatch::Alarm"));
  expect(first?.properties.alarms.toSorted()).toEqual(alarms.map((name) => `<${name}.Arn>`).sort());
  for (const { type, properties } of widgets) {
    if (type === "metric")
      expect([properties.title, properties.metrics.length]).toEqual([expect.any(String), expect.any(Number)]);
    if (type === "metric") expect(properties.metrics.length).toBeGreaterThan(0);
  }
});

test("the dashboard shows every function and every queue", () => {
  const shown = new Set(widgets.flatMap(inWidget).flatMap(({ dimensions }) => Object.values(dimensions)));
  for (const name of Object.keys(stack.resources("AWS::Lambda::Function"))) expect(shown).toContain(`<${name}>`);
  for (const name of Object.keys(stack.resources("AWS::SQS::Queue"))) expect(shown).toContain(`<${name}.QueueName>`);
});
