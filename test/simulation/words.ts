import type { Item } from "./memory-dynamo.ts";

export const inputOf = (command: object): unknown => (command as { input?: unknown }).input;

/** Names a command for the trace, such as "PutItem subscription#standard/a state". */
export function nameOf(command: object): string {
  const input = inputOf(command) as {
    Key?: Item;
    Item?: Item;
    IndexName?: string;
    Entries?: { MessageBody?: string }[];
  };
  const { pk, sk } = input.Item ?? input.Key ?? {};
  const what = pk
    ? `${pk.S} ${sk?.S}`
    : (input.Entries?.map(({ MessageBody }) => titleOf(MessageBody ?? "")).join() ?? "");
  return `${command.constructor.name.replace("Command", "")} ${what}${operationIn(input.Item)}`;
}

function operationIn(item: Item | undefined): string {
  const operation = item?.subscription?.M?.operation?.M;
  return operation
    ? ` (operation ${operation.n?.N} ${operation.change?.M?.kind?.S} ${operation.state?.S} ${operation.outcome?.S ?? ""})`
    : "";
}

export function titleOf(body: string): string {
  const { key, kind, received } = JSON.parse(body) as {
    key: string;
    kind: string;
    received?: { id: string; type: string };
  };
  return `${kind} ${key}${received ? ` ${received.id} ${received.type}` : ""}`;
}
