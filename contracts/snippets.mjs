// Writes the Solidity blocks of docs/INTEGRATION.md to contracts/test/snippets, for forge to compile and run.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const folder = new URL("contracts/test/snippets/", root);
const blocks = readFileSync(new URL("docs/INTEGRATION.md", root), "utf8").matchAll(/^```solidity\n(.*?)^```$/gms);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const [, source] of blocks) {
  const name = /^(?:abstract )?contract (\w+)/m.exec(source)[1];
  writeFileSync(new URL(`${name}.t.sol`, folder), source);
}
