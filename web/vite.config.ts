import { readFileSync, existsSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** What is in the bundle, each with its licence: `licences.txt` beside the page. */
const SHIPPED = ["preact", "lightweight-charts", "fancy-canvas", "uplot"];

function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const texts = SHIPPED.map((name) => {
        const folder = new URL(`node_modules/${name}/`, import.meta.url);
        const { version, license } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as Record<string, string>;
        const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((file) => new URL(file, folder)).find((file) => existsSync(file));
        const text = file ? readFileSync(file, "utf8").trim() : `Licence: ${license}`;
        return `${name} ${version}\n\n${text}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join(`\n${"-".repeat(78)}\n\n`) });
    },
  };
}

export default defineConfig({
  // Relative addresses, so that the page works under any path prefix.
  base: "./",
  plugins: [licences()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // Styles by themselves: the policy of the page allows no inline ones.
    cssCodeSplit: false,
    reportCompressedSize: true,
    emptyOutDir: true,
  },
  server: {
    proxy: { "^/(v1|openapi.json|livez|readyz)": { target: process.env["VERIREGIME_NODE"] ?? "http://127.0.0.1:9464" } },
  },
});
