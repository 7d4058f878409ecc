import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { catalogJsonSchema, eventsJsonSchema, eventsSchemaFile, schemaFile, textOf } from "../../../docs/schemas.ts";

const catalog = JSON.parse(readFileSync(new URL("../../../catalog.json", import.meta.url), "utf8"));

test("the committed schemas equal the output of npm run schema", () => {
  expect(readFileSync(schemaFile, "utf8")).toBe(textOf(catalogJsonSchema()));
  expect(readFileSync(eventsSchemaFile, "utf8")).toBe(textOf(eventsJsonSchema()));
});

test("the catalog points to the schema for editors", () => {
  expect(new URL(catalog.$schema, new URL("../../../catalog.json", import.meta.url)).pathname).toBe(schemaFile);
});

type Schema = ReturnType<typeof catalogJsonSchema>;

/** The schema at a path of the catalog; undefined if the catalog must not have this path. */
function schemaAt(schema: Schema | undefined, [key, ...rest]: string[]): Schema | undefined {
  if (key === undefined || schema === undefined) return schema;
  const others = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  return schemaAt(schema.properties?.[key] ?? others, rest);
}

const placesIn = (value: unknown, path: string[] = []): string[][] =>
  value === null || typeof value !== "object" || Array.isArray(value)
    ? [path]
    : Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...placesIn(inner, [...path, key])]);

test("the schema contains and describes each setting of the catalog", () => {
  const places = placesIn(catalog);
  expect(places.length).toBeGreaterThan(40);
  const unknown = places.filter((path) => schemaAt(catalogJsonSchema(), path)?.description === undefined);
  expect(unknown).toEqual([]);
});

test.each([["polcy"], ["plans", "vm6-monthly", "perid"], ["policy", "gracedays"]])(
  "the schema rejects a mistyped setting: %s %s %s",
  (...path) => {
    expect(schemaAt(catalogJsonSchema(), path)).toBeUndefined();
  },
);

test("docs/catalog.md contains each setting", () => {
  const reference = readFileSync(new URL("../../../docs/catalog.md", import.meta.url), "utf8");
  const namesIn = ({ properties = {}, additionalProperties }: Schema): string[] => [
    ...Object.keys(properties),
    ...Object.values(properties).flatMap(namesIn),
    ...(typeof additionalProperties === "object" ? namesIn(additionalProperties) : []),
  ];
  const missing = namesIn(catalogJsonSchema()).filter((name) => !reference.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});
