/** `npm run api -- http://127.0.0.1:9464/`: types of the API out of the OpenAPI document of a running node, or of a file. */
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const from = process.argv[2] ?? process.env.BASE_URL ?? "http://127.0.0.1:9464/";
const document = /^https?:/.test(from)
  ? await (await fetch(`${from.replace(/\/?$/, "/")}openapi.json`)).json()
  : JSON.parse(readFileSync(from, "utf8"));
const text = astToString(await openapiTS(document));
writeFileSync(new URL("../src/api/openapi.d.ts", import.meta.url), `/** Generated from the node's OpenAPI document by \`npm run api\`; do not edit. */\n\n${text}`);
console.log(`${text.split("\n").length} lines`);
