/** Finds Debian's chromium, or installs it where that is possible; says loudly where neither works. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Its path, or `null`. */
export function chromium() {
  const named = process.env.CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  return PLACES.find((path) => existsSync(path)) ?? null;
}

/** The same after an attempt to install it. */
export function chromiumInstalled() {
  const found = chromium();
  if (found || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return found;
  try {
    execFileSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], { stdio: "ignore" });
  } catch {
    // Told by whoever asks.
  }
  return chromium();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = chromiumInstalled();
  console.log(path ?? "SKIPPED: no chromium here, and none could be installed");
}
