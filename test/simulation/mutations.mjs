// Breaks a copy of the build on purpose, one way at a time, and shows that the worlds find each within 1,000 seeds.
// Needs a build: node test/simulation/mutations.mjs
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const build = process.argv[2] ?? '.build'
const mutants = join(build, 'mutants')
const SEEDS = 1_000

const mutations = [
  {
    name: 'one unprocessed item is dropped',
    file: 'publish/writeBatch.js',
    from: /return \{ unprocessed, consumedUnits \};(?![\s\S]*return \{ unprocessed)/,
    to: 'return { unprocessed: unprocessed.slice(1), consumedUnits };',
  },
  {
    name: 'writes are acknowledged before the answer',
    file: 'dynamodb/service.js',
    from: 'return this.#transport.send(headers, body, new Exchange(',
    to: `if (headers.some((text) => text.endsWith('.BatchWriteItem'))) {
            queueMicrotask(() => receiver.onReply(Buffer.from('{"UnprocessedItems":{}}'), 1, ''));
            return this.#transport.send(headers, body, { onAnswer() {}, onFailure() {} });
        }
        return this.#transport.send(headers, body, new Exchange(`,
  },
  {
    name: 'two writes of one key share a batch',
    file: 'publish/publishEngine.js',
    from: 'const earlier = this.#byKey.exchange(entry.keyHash, entry);',
    to: 'this.#byKey.exchange(entry.keyHash, entry); const earlier = undefined;',
  },
  {
    name: 'checksums are ignored',
    file: 'dynamodb/service.js',
    from: 'answer.crc32 !== crc32(answer.body)',
    to: 'false',
  },
  {
    name: 'debt is forgotten',
    file: 'throughput/unitBucket.js',
    from: 'this.#balance += estimatedUnits - consumedUnits',
    to: 'this.#balance += 0',
  },
  {
    name: 'a conflict after a lost answer is always taken for our own write',
    file: 'publish/isDone.js',
    from: 'function isDone(change, attributes) {',
    to: 'function isDone(change, attributes) { return true;',
  },
  {
    name: 'a conflict after a lost answer is never taken for our own write',
    file: 'publish/isDone.js',
    from: 'function isDone(change, attributes) {',
    to: 'function isDone(change, attributes) { return false;',
  },
  {
    name: 'an update expects nothing of the item',
    file: 'operations/prepareChange.js',
    from: 'expectNames.push(name);\n        expectTexts.push(present);\n    };',
    to: '};',
  },
  {
    name: 'what goes again goes to the end of the queue',
    file: 'publish/publishEngine.js',
    from: /(const timer = this\.#clock\.setTimer[\s\S]*?)entry\.state = 'buffered';\s*this\.#queueOf\(entry\)\.pushFront\(entry\);/,
    to: "$1entry.state = 'buffered'; this.#byKey.delete(entry.keyHash); this.#queueOf(entry).pushBack(entry);",
  },
]

let missed = 0
for (const { name, file, from, to } of mutations) {
  rmSync(mutants, { recursive: true, force: true })
  cpSync(join(build, 'src'), join(mutants, 'src'), { recursive: true })
  cpSync(join(build, 'test/simulation'), join(mutants, 'test/simulation'), { recursive: true })
  const path = join(mutants, 'src', file)
  const sound = readFileSync(path, 'utf8')
  const broken = sound.replace(from, to)
  if (broken === sound) throw new Error(`${file} has changed; this mutation no longer fits: ${name}`)
  writeFileSync(path, broken)
  const { stdout } = spawnSync(
    process.execPath,
    [join(mutants, 'test/simulation/simulate.js'), '--seeds', `${SEEDS}`, '--stop'],
    { encoding: 'utf8', timeout: 120_000 },
  )
  const caught = /^seed (\d+) \((\w+)\):\n {2}(.*)/m.exec(stdout)
  if (caught === null) missed += 1
  console.log(caught === null ? `MISSED  ${name}` : `caught  ${name}: seed ${caught[1]}, ${caught[3].slice(0, 100)}`)
}
rmSync(mutants, { recursive: true, force: true })
process.exitCode = missed === 0 ? 0 : 1
