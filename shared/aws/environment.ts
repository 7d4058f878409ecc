/** Reads an environment variable that the stack sets. */
export function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is not set: infra/stack.ts sets it`);
  return value;
}
