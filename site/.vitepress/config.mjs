import { defineConfig } from 'vitepress'
import { sidebar } from '../content.mjs'

const entries = sidebar()

export default defineConfig({
  title: 'Headrace',
  description: 'Bulk work on Amazon DynamoDB: a TypeScript library and a command line.',
  lang: 'en',
  // A site that is not at the root of its host needs its path, such as /headrace/.
  base: process.env.HEADRACE_SITE_BASE ?? '/',
  srcDir: '.content',
  outDir: 'dist',
  // Dead links fail the build; this is the default, and it must stay.
  ignoreDeadLinks: false,
  markdown: {
    languageAlias: { jsonl: 'json' },
    // As GitHub makes them, so that a link to a heading works in both places.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
    },
  },
  themeConfig: {
    nav: entries
      .filter(({ items }) => items !== undefined)
      .map(({ text, items }) => ({ text, link: items[0].link, activeMatch: `^/${text.toLowerCase()}/` })),
    sidebar: entries,
    search: { provider: 'local' },
    outline: [2, 3],
  },
})
