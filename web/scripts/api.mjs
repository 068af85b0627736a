/** `npm run api`: types of the API out of its committed document, or out of the one of a running node (`npm run api -- http://127.0.0.1:9464/`). */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

/** The document that a test of the program holds to what the daemon serves. */
export const COMMITTED = new URL("../../docs/openapi.json", import.meta.url);
export const TYPES = new URL("../src/api/openapi.d.ts", import.meta.url);

export async function typesOf(document) {
  const text = astToString(await openapiTS(document));
  return `/** Generated from the node's OpenAPI document by \`npm run api\`; do not edit. */\n\n${text}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const from = process.argv[2];
  const document = from === undefined ? JSON.parse(readFileSync(COMMITTED, "utf8")) : await (await fetch(`${from.replace(/\/?$/, "/")}openapi.json`)).json();
  const text = await typesOf(document);
  writeFileSync(TYPES, text);
  console.log(`${text.split("\n").length} lines`);
}
