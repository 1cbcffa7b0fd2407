import { defineConfig } from "vite";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", modulePreload: false, assetsInlineLimit: 0 },
  // `npm run dev` shows a running rowtrail's data.
  server: { proxy: { "^/(v1|log|login|logout|readyz)": "http://127.0.0.1:8765" } },
});
