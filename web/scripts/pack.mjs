/** Leaves every built file packed in its place: the node serves `x.js.gz` as `x.js`, and unpacks it for who takes no gzip. */
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
let total = 0;
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!statSync(path).isFile() || name.startsWith(".") || name.endsWith(".gz")) continue;
  const packed = gzipSync(readFileSync(path), { level: 9 });
  total += packed.length;
  writeFileSync(`${path}.gz`, packed);
  rmSync(path);
}
// Committed, so that the folder is there for who builds without the page.
writeFileSync(join(dist, ".gitkeep"), "");
console.log(`${(total / 1000).toFixed(0)} kB packed`);
