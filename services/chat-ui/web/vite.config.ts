import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { mockApi } from './mock/plugin.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const upstream = process.env.PILOTHOUSE_API

export default defineConfig({
  // With PILOTHOUSE_API the page is developed against a running chat-ui; without it, against the mock.
  plugins: [react(), ...(upstream ? [] : [mockApi()])],
  resolve: {
    alias: {
      '@': path('./src'),
      // Its browser build decodes entities through innerHTML, which Trusted Types forbid.
      'decode-named-character-reference': path('./node_modules/decode-named-character-reference/index.js'),
    },
  },
  build: {
    outDir: '../src/pilothouse_chat_ui/static',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // font-src is 'self': fonts must be files
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: upstream ? { proxy: { '/api': { target: upstream, changeOrigin: true } } } : {},
  test: { include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'], environment: 'node', setupFiles: ['tests/setup.ts'] },
})
