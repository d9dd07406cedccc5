import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { COMMANDS } from '../src/cli/commandList.ts'
import { describe } from '../src/cli/helpText.ts'
import { messagesOf } from './support/messages.ts'
import { averageOf, checkSentences, proseOf } from './support/prose.ts'

// Reads the documentation as its readers do: long sentences and private phrases make people stop.
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const WORDS_MAX = 35
const HELP_WORDS_MAX = 25
const README_AVERAGE_MAX = 15
const DOCS_AVERAGE_MAX = 17

const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => `docs/${path.split('\\').join('/')}`)
  .sort()
const pages = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md', ...docs]
const prose = new Map(pages.map((page) => [page, proseOf(readFileSync(join(ROOT, page), 'utf8'))]))

for (const [page, blocks] of prose) {
  test(`${page}: no sentence above ${WORDS_MAX} words, and no phrase that confuses readers`, (t) => {
    const { sentences, wordsPerSentence } = averageOf(blocks)
    t.diagnostic(`${page}: ${wordsPerSentence.toFixed(1)} words a sentence, ${sentences} sentences`)
    const findings = checkSentences(page, blocks, { wordsMax: WORDS_MAX })
    assert.equal(findings.length, 0, `\n${findings.join('\n')}`)
  })
}

test(`README.md: sentences have at most ${README_AVERAGE_MAX} words on average`, () => {
  const { sentences, wordsPerSentence } = averageOf(prose.get('README.md')!)
  assert.ok(sentences > 20, `found only ${sentences} sentences`)
  assert.ok(wordsPerSentence <= README_AVERAGE_MAX, `${wordsPerSentence.toFixed(1)} words a sentence`)
})

test(`docs: sentences have at most ${DOCS_AVERAGE_MAX} words on average`, () => {
  const { sentences, wordsPerSentence } = averageOf(docs.flatMap((page) => prose.get(page)!))
  assert.ok(sentences > 300, `found only ${sentences} sentences`)
  assert.ok(wordsPerSentence <= DOCS_AVERAGE_MAX, `${wordsPerSentence.toFixed(1)} words a sentence`)
})

test(`help: no sentence above ${HELP_WORDS_MAX} words, and no phrase that confuses readers`, () => {
  const findings = COMMANDS.flatMap(({ name, summary, description, options }) => [
    ...checkSentences(`${name} --help`, [summary, ...(description === undefined ? [] : [description])], {
      wordsMax: HELP_WORDS_MAX,
    }),
    ...options.flatMap((option) =>
      checkSentences(`${name} ${option.flag}`, [describe(option)], { wordsMax: HELP_WORDS_MAX }),
    ),
  ])
  assert.equal(findings.length, 0, `\n${findings.join('\n')}`)
})

test(`messages: no sentence above ${WORDS_MAX} words, and no phrase that confuses readers`, () => {
  const messages = messagesOf(ROOT)
  assert.ok(messages.length > 400, `found only ${messages.length} messages`)
  const findings = messages.flatMap(({ file, line, text }) =>
    checkSentences(file, [{ line, text }], { wordsMax: WORDS_MAX }),
  )
  assert.equal(findings.length, 0, `\n${findings.join('\n')}`)
})

test('a page is read without its markup', () => {
  const page = [
    '# Load `files`',
    '',
    '<!-- before',
    'You can not see this. -->',
    'Load a file with **one command**, e.g. `headrace load`. A [link',
    'to a page](a/b.md#c) counts as its text.',
    '',
    '- First item.',
    '  It continues.',
    '- Second item',
    '',
    '| option | means |',
    '|---|--:|',
    '| `a|b` | is *this* |',
    '```sh',
    'headrace can not',
    '```',
  ].join('\n')
  assert.deepEqual(proseOf(page), [
    { kind: 'label', line: 1, text: 'Load Code' },
    {
      kind: 'sentences',
      line: 5,
      text: 'Load a file with one command, e.g. Code. A link\nto a page counts as its text.',
    },
    { kind: 'sentences', line: 8, text: 'First item.\nIt continues.' },
    { kind: 'sentences', line: 10, text: 'Second item' },
    { kind: 'label', line: 12, text: ' option ' },
    { kind: 'label', line: 12, text: ' means ' },
    { kind: 'label', line: 14, text: ' Code ' },
    { kind: 'label', line: 14, text: ' is this ' },
  ])
  assert.deepEqual(averageOf(proseOf(page)), { sentences: 5, wordsPerSentence: (8 + 9 + 2 + 2 + 2) / 5 })
})

test('findings name the place, the phrase, what to say instead, and the sentence', () => {
  const page = 'All is well here.\nThis can not\nwork. There is no table. It is no table.\n'
  assert.deepEqual(checkSentences('page.md', proseOf(page), { wordsMax: 35 }), [
    'page.md:2: "can not", say cannot: This can not work.',
    'page.md:3: "is no table", say is not a …: It is no table.',
  ])
  assert.deepEqual(checkSentences('help', ['one two three four', 'one two'], { wordsMax: 3 }), [
    'help:1: 4 words, at most 3: one two three four',
  ])
})

test('each phrase that confuses readers is found', () => {
  const phrases = [
    'so many run at a time',
    'the page speaks of it',
    'that nobody vouches for',
    'items that ended, whatever as',
    'a job is gone on with',
    'of which dice',
    'it takes the place of a file',
    'units to spend a second',
    'what was pushed back',
    'a table on demand',
    'it is sent again',
    'the time left is reckoned',
  ]
  for (const phrase of phrases) assert.equal(checkSentences('page.md', [phrase], { wordsMax: 35 }).length, 1, phrase)
  const fine = [
    'There is no table.',
    'It is no longer there.',
    'The retry goes on for a minute.',
    'Set it to on-demand.',
  ]
  for (const sentence of fine) assert.deepEqual(checkSentences('page.md', [sentence], { wordsMax: 35 }), [])
})
