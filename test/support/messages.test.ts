import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { messagesIn, messagesOf } from './messages.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

test('the texts of errors and notices are found, with what is joined and a word for each value', () => {
  const source = [
    "// talk.say('not this one here')",
    "throw new HeadraceError('INPUT', `@{file}: it's \"@{name(`a}`)}\" twice. ` +",
    "  'Rename one.', { cause })",
    'talk.say(isNew ? `the job is new` : "the job is resumed")',
    "const other = 'this is no message'",
    "throw new ServiceError('ValidationException', 'as the service has it')",
  ]
    .join('\n')
    .replaceAll('@{', '${')
  assert.deepEqual(messagesIn('src/a.ts', source), [
    { file: 'src/a.ts', line: 2, text: 'VALUE: it\'s "VALUE" twice. Rename one.' },
    { file: 'src/a.ts', line: 4, text: 'the job is new' },
    { file: 'src/a.ts', line: 4, text: 'the job is resumed' },
  ])
})

test('those of the whole project are many, and in their places', () => {
  const messages = messagesOf(ROOT)
  assert.ok(messages.length > 400, `${messages.length}`)
  const [one] = messages.filter(({ text }) => text.startsWith('the counts do not add up'))
  assert.equal(one!.file, 'src/job/tally.ts')
  assert.match(one!.text, /please report it$/)
})
