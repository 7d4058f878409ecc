import { Metrics as Emf } from "@aws-lambda-powertools/metrics";
import { type Metrics, metricUnits } from "./metrics.ts";

/**
 * Writes metrics as log lines in CloudWatch's embedded metric format. Each is written immediately, so nothing has to be
 * flushed, and none is lost if the function dies. Powertools reads namespace and service from the environment.
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
