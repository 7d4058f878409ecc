import { formatPath } from "../problems.ts";

/** The offset of each value of a JSON text by its formatted path, and the offset of the first syntax error. */
export type JsonPositions = { offsets: ReadonlyMap<string, number>; errorOffset?: number };

const space = /[ \t\r\n]*/y;
const name = /"(?:[^"\\\n]|\\.)*"/y;
const scalar = /"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y;

/** Finds positions, which JSON.parse does not report. The position of an object's member is that of its name. */
export function scanJson(text: string): JsonPositions {
  const offsets = new Map<string, number>();
  let offset = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    const [found] = pattern.exec(text) ?? [];
    if (found !== undefined) offset += found.length;
    return found;
  };
  const takeToken = (pattern: RegExp): string | undefined => {
    take(space);
    return take(pattern);
  };
  const expectToken = (pattern: RegExp): string => {
    const token = takeToken(pattern);
    if (token === undefined) throw new SyntaxError();
    return token;
  };
  const scanItems = (close: RegExp, scanItem: (index: number) => void): void => {
    if (takeToken(close) !== undefined) return;
    let count = 0;
    do scanItem(count++);
    while (takeToken(/,/y) !== undefined);
    expectToken(close);
  };
  const scanValue = (path: readonly PropertyKey[]): void => {
    take(space);
    if (!offsets.has(formatPath(path))) offsets.set(formatPath(path), offset);
    if (take(/\{/y) !== undefined) {
      scanItems(/\}/y, () => {
        take(space);
        const start = offset;
        const inner = [...path, JSON.parse(expectToken(name)) as string];
        offsets.set(formatPath(inner), start);
        expectToken(/:/y);
        scanValue(inner);
      });
    } else if (take(/\[/y) !== undefined) scanItems(/\]/y, (index) => scanValue([...path, index]));
    else expectToken(scalar);
  };
  try {
    scanValue([]);
    expectToken(/$/y);
    return { offsets };
  } catch {
    return { offsets, errorOffset: offset };
  }
}

/** The offset of the value at `path`; of its nearest parent if the document omits it. */
export function offsetAt({ offsets }: JsonPositions, path: readonly PropertyKey[]): number {
  const found = offsets.get(formatPath(path));
  if (found !== undefined) return found;
  return path.length === 0 ? 0 : offsetAt({ offsets }, path.slice(0, -1));
}

/** "12:5": line and column, counted from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}
