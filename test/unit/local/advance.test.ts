import { expect, test } from "vitest";
import { createTimeControl } from "../../../local/advance.ts";

const start = Date.parse("2026-11-23T08:00:00Z");
const hour = 3_600_000;

test("an entry that stays due does not delay other entries", async () => {
  let time = start;
  const clock = {
    now: () => new Date(time),
    moveTo: (moment: Date) => {
      time = moment.getTime();
    },
    offset: () => 0,
  };
  let scheduled = [1, 2, 3].map((hours) => ({ key: `subscription#a/${hours}` as const, due: start + hours * hour }));
  const stuck = { key: "subscription#a/stuck" as const, due: start };
  const woken: [string, number][] = [];
  const { advanceTo } = createTimeControl({
    clock,
    queue: { size: () => 0 },
    table: {
      due: async (shard) => ({
        keys: shard > 0 ? [] : [stuck, ...scheduled].map(({ key, due }) => ({ key, due: new Date(due).toISOString() })),
      }),
    },
    sweep: async () => {
      woken.push(
        ...scheduled.filter(({ due }) => due <= time).map(({ key }): [string, number] => [key, (time - start) / hour]),
      );
      scheduled = scheduled.filter(({ due }) => due > time);
      return 0;
    },
    announce: async () => {},
  });
  await advanceTo(new Date(start + 24 * hour));
  expect(woken).toEqual([1, 2, 3].map((hours) => [`subscription#a/${hours}`, hours]));
});

test("advancing stops at each due time, although real time passes too", async () => {
  let time = start;
  const clock = {
    now: () => {
      time += 3;
      return new Date(time);
    },
    moveTo: (moment: Date) => {
      expect(moment.getTime()).toBeGreaterThanOrEqual(time);
      time = moment.getTime();
    },
    offset: () => 0,
  };
  // Some are milliseconds apart, some hours.
  const soon = Array.from({ length: 40 }, (_, i) => start + 7 * i);
  let agenda = [...soon, ...[1, 2, 3].map((hours) => start + hours * hour)];
  const late: number[] = [];
  const { advanceTo } = createTimeControl({
    clock,
    queue: { size: () => 0 },
    table: {
      due: async (shard) => ({
        keys: shard > 0 ? [] : agenda.map((due) => ({ key: "subscription#a/b", due: new Date(due).toISOString() })),
      }),
    },
    sweep: async () => {
      late.push(...agenda.filter((due) => due <= time).map((due) => time - due));
      agenda = agenda.filter((due) => due > time);
      return 0;
    },
    announce: async () => {},
  });
  await advanceTo(new Date(start + 24 * hour));
  expect(late).toHaveLength(43);
  expect(Math.max(...late)).toBeLessThan(1000);
  expect(time).toBeGreaterThanOrEqual(start + 24 * hour);
});
