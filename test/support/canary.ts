import { afterAll, afterEach } from "vitest";
import { forget, takeFound, watch } from "./watch.ts";
import "./watched-outputs.ts";

/** Fails a test that leaked a secret, and reports only the place. This is a setup file: it runs before each test file. */
const check = (): void => {
  forget();
  const places = [...new Set(takeFound())];
  if (places.length > 0) throw new Error(`a secret of the tests is in ${places.join(", ")}`);
};
afterEach(({ task }) => {
  for (const error of task.result?.errors ?? []) watch("an error", [error.message, error.stack]);
  check();
});
afterAll(check);
