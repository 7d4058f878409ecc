import { Metrics as Emf } from "@aws-lambda-powertools/metrics";
import { type Metrics, metricUnits } from "./metrics.ts";

/**
 * Figures as lines of the log in CloudWatch's embedded metric format, each written at once: nothing is to be flushed, and
 * none is lost with a function that dies. Namespace and service are the stack's, by Powertools' own variables.
 */
export function emf(): Metrics {
  const metrics = new Emf();
  return {
    put(name, value, dimensions = {}) {
      const single = metrics.singleMetric();
      single.addDimensions(dimensions);
      single.addMetric(name, metricUnits[name], value);
    },
  };
}
