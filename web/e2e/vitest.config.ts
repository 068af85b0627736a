import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname, include: ["e2e/**/*.spec.ts"], environment: "node",
    // Vitest has a BASE_URL of its own.
    env: { VERIREGIME_PAGE: process.env["BASE_URL"] ?? "" },
    fileParallelism: false,
    testTimeout: 60_000, hookTimeout: 60_000, reporters: ["verbose"],
  },
});
