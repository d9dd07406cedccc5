// Breaks a copy of the build on purpose, one way at a time, and shows that the worlds find each within 1,000 seeds; what
// makes nothing wrong but slow, which no seed can know, is found by a named test.
// npm run mutations [-- WORD]   those whose name contains the word
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const build = '.build'
const mutants = join(build, 'mutants')
const SEEDS = 1_000
const word = process.argv[2] ?? ''

const mutations = [
  {
    name: 'one unprocessed item is dropped',
    file: 'publish/writeBatch.js',
    from: /return \{ unprocessed, consumed \};(?![\s\S]*return \{ unprocessed)/,
    to: 'return { unprocessed: unprocessed.slice(1), consumed };',
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
    from: 'this.#balance += back',
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
    name: 'a connection that was reset is taken for no write',
    file: 'dynamodb/outcome.js',
    from: "'ConnectionReset', failure.message, true",
    to: "'ConnectionReset', failure.message, false",
  },
  {
    name: 'an update expects nothing of the item',
    file: 'operations/prepareChange.js',
    from: 'expectNames.push(name);\n        expectTexts.push(present);\n    };',
    to: '};',
  },
  {
    name: 'odd names stand in an update as they are',
    file: 'publish/changeBatch.js',
    from: /known = `#n\$\{aliases\.size\}`;/,
    to: "known = /^\\w+$/.test(name) ? '#n' + aliases.size : name;",
  },
  {
    name: 'what failed lets others of its key pass',
    file: 'publish/publishEngine.js',
    from: /(const entry = entries\[index\];\s*entry\.state = 'buffered';\s*)this\.#queueOf\(entry\)\.pushFront\(entry\);(\s*\}\s*\};)/,
    to: '$1this.#byKey.delete(entry.keyHash); this.#queueOf(entry).pushBack(entry);$2',
  },
  {
    name: 'one entry of those that rest aside is dropped',
    file: 'publish/publishEngine.js',
    from: 'const resting = this.#resting;\n',
    to: 'const resting = this.#resting.slice(1);\n',
  },
  {
    name: 'half of a batch that was refused is dropped',
    file: 'publish/publishEngine.js',
    from: 'for (const half of [entries.slice(0, middle), entries.slice(middle)])',
    to: 'for (const half of [entries.slice(0, middle)])',
  },
  {
    name: 'what the service asks to wait is ignored',
    file: 'throughput/limiter.js',
    from: 'this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs);',
    to: '',
  },
  {
    name: 'throttled units are not counted',
    file: 'throughput/limiter.js',
    from: 'resource.finder.onAnswer(0, units * share,',
    to: 'resource.finder.onAnswer(0, 0,',
    test: ['namedThrottles.test.js', '^the limit of an account'],
  },
  {
    name: 'noise is never believed',
    file: 'throughput/noiseDetector.js',
    from: 'return { share, offeredPerSecond: anchor.offeredPerSecond, less: window };',
    to: 'return undefined;',
    test: ['namedThrottles.test.js', '^(10|60|90) % of requests'],
  },
  {
    name: 'what is hot once is hot for ever',
    file: 'throughput/heatJudge.js',
    from: 'return nowMs - this.#verdictAtMs < VERDICT_MS',
    to: "if (this.#verdict === 'hot') this.hot = true;\n        if (this.hot) return 'hot';\n        return nowMs - this.#verdictAtMs < VERDICT_MS",
    test: ['namedThrottles.test.js', 'a heat that has passed'],
  },
  {
    name: 'bytes that wait have no bound',
    file: 'publish/publishEngine.js',
    from: 'if (this.#bufferedBytes >= maxQueueBytes)',
    to: 'if (false)',
  },
  {
    name: 'a segment that goes again begins again',
    file: 'scan/scanEngine.js',
    from: 'this.#delays.add(delayMs, () => this.#stand(ask), leastMs)',
    to: 'this.#delays.add(delayMs, () => this.#stand({ ...ask, cursor: undefined }), leastMs)',
  },
  {
    name: 'a file that can not be read on is taken for one that ends',
    file: 'operations/load.js',
    from: 'this.#failure ??= error;',
    to: '',
  },
  {
    name: 'rejects that the disk does not take are forgotten',
    file: 'job/rejectsFile.js',
    from: 'this.#file.write(this.#text);',
    to: 'try { this.#file.write(this.#text); } catch {}',
  },
  {
    name: 'a session that is over ends the job',
    file: 'dynamodb/service.js',
    from: 'const outcome = retryAfterMs === undefined',
    to: 'const outcome = true',
  },
  {
    name: 'a visit may take for ever',
    file: 'runtime/deadlines.js',
    from: 'this.#timer ??= this.#setTimer(this.limitMs);',
    to: '',
  },
  {
    name: 'an error tells the session token',
    file: 'dynamodb/service.js',
    from: "sortError(answer.status, body.toString('utf8'), ",
    to: `sortError(answer.status, body.toString('utf8').replace('"message":"', '"message":"' + this.#credentials.sessionToken), `,
  },
]

/** By whom it was caught, and what was said; undefined when it was not. */
function judge({ test }) {
  const simulate = join(mutants, 'test/simulation/simulate.js')
  const { stdout, signal } = spawnSync(process.execPath, [simulate, '--seeds', `${SEEDS}`, '--stop'], {
    encoding: 'utf8',
    timeout: 240_000,
  })
  const caught = /^seed (\d+) \(\w+\):\n {2}(.*)/m.exec(stdout)
  if (caught !== null) return `seed ${caught[1]}: ${caught[2]}`
  if (signal !== null) throw new Error(`the run was ended by ${signal}`)
  if (test === undefined) return undefined
  const [file, pattern] = test
  const path = join(mutants, 'test/simulation', file)
  const named = spawnSync(process.execPath, ['--test', '--test-reporter=tap', '--test-name-pattern', pattern, path], {
    encoding: 'utf8',
    timeout: 240_000,
  })
  const failed = /^\s*not ok \d+ - (?!.*# (?:TODO|SKIP))(.*)/m.exec(named.stdout)
  return failed === null ? undefined : failed[1]
}

let missed = 0
for (const mutation of mutations.filter(({ name }) => name.includes(word))) {
  const { name, file, from, to } = mutation
  rmSync(mutants, { recursive: true, force: true })
  cpSync(join(build, 'src'), join(mutants, 'src'), { recursive: true })
  cpSync(join(build, 'test/simulation'), join(mutants, 'test/simulation'), { recursive: true })
  const path = join(mutants, 'src', file)
  const sound = readFileSync(path, 'utf8')
  const broken = sound.replace(from, to)
  if (broken === sound) throw new Error(`${file} has changed; this mutation no longer fits: ${name}`)
  writeFileSync(path, broken)
  const said = judge(mutation)
  if (said === undefined) missed += 1
  console.log(said === undefined ? `MISSED  ${name}` : `caught  ${name}: ${said.slice(0, 110)}`)
}
rmSync(mutants, { recursive: true, force: true })
process.exitCode = missed === 0 ? 0 : 1
