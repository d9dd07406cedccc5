// Breaks a copy of the build on purpose, one way at a time, and shows that the worlds find each within 1,000 seeds; what
// makes nothing wrong but slow, which no seed can know, is found by a named test.
// npm run mutations [-- WORD]   those whose name or suite contains the word, such as lives
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { runMutations } from '../support/mutations.mjs'

const SEEDS = 1_000

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
    from: 'sortError(status, text, retryAfterMs)',
    to: `sortError(status, text.replace('"message":"', '"message":"' + this.#credentials.sessionToken), retryAfterMs)`,
  },
  // What keeps jobs safe: found by seeds of lives.
  {
    name: 'a file is taken to be settled as far as it was read',
    suite: '--lives',
    file: 'operations/sourceLedger.js',
    from: 'const { passed, span } = this.#prefix;',
    to: 'const { taken: passed, span } = this.#prefix;',
  },
  {
    name: 'a page is passed while items in it are under way',
    suite: '--lives',
    file: 'operations/segmentLedger.js',
    from: 'if (prefix.passed < first + page.items.length)\n                return;',
    to: '',
  },
  {
    name: 'a segment that was read to its end is done',
    suite: '--lives',
    file: 'operations/segmentLedger.js',
    from: /pages\.push\(one\);/,
    to: 'pages.push(one); if (page.cursor === undefined) this.#done.add(page.segment);',
  },
  {
    name: 'within a page it goes on behind what was visited',
    suite: '--lives',
    file: 'operations/segmentLedger.js',
    from: 'const settled = front === undefined ? 0 : prefix.passed - front.first;',
    to: 'const settled = front === undefined ? 0 : front.page.items.length;',
  },
  {
    name: 'it goes on behind an item that was deleted',
    suite: '--lives',
    file: 'operations/segmentLedger.js',
    from: 'if (deleted?.has(index) !== true)',
    to: 'if (true)',
  },
  {
    name: 'a checkpoint takes its name before it is on the disk',
    suite: '--lives',
    file: 'storage/replaceFile.js',
    from: 'file.write(Buffer.from(text));\n        await file.sync();',
    to: 'file.write(Buffer.from(text));',
  },
  {
    name: 'a checkpoint speaks of bytes that are not on the disk',
    suite: '--lives',
    file: 'job/jobDirectory.js',
    from: 'await file.sync();\n            await replaceFile',
    to: 'void file;\n            await replaceFile',
  },
  {
    name: 'the names of checkpoints are left to the disk',
    suite: '--lives',
    file: 'storage/replaceFile.js',
    from: 'disk.rename(draft, target);\n    await disk.syncDirectory(directory);',
    to: 'disk.rename(draft, target);',
  },
  {
    name: 'what lies in a file behind the checkpoint stays',
    suite: '--lives',
    file: 'job/jobDirectory.js',
    from: 'file.truncate(size);\n            return file;',
    to: 'return file;',
  },
  {
    name: 'what was rejected behind the checkpoint stays when nothing is rejected any more',
    suite: '--lives',
    file: 'operations/jobRun.js',
    from: 'directory.cutBack(REJECTS);',
    to: '',
    test: ['../operations/load.test.js', 'rejects behind the checkpoint'],
  },
  {
    name: 'rejects are told before it is known that they will not come again',
    suite: '--lives',
    file: 'job/settledPrefix.js',
    from: 'this.#hold(sequence, reject);\n        while',
    to: 'this.#onReject(reject);\n        while',
  },
  {
    name: 'a checkpoint does not wait for the rejects it counts',
    suite: '--lives',
    file: 'operations/jobRun.js',
    from: 'this.#rejects?.flush();',
    to: '',
  },
  {
    name: 'a checkpoint counts what will come again',
    suite: '--lives',
    file: 'operations/jobRun.js',
    from: 'const tally = { read: settledOf(account.passed), ...account.passed };',
    to: 'const { read, notReached, ...all } = account.tally; const tally = { read: settledOf(all), ...all };',
  },
  {
    name: 'a job that goes on begins to count anew',
    suite: '--lives',
    file: 'operations/jobAccount.js',
    from: 'Object.assign(this.tally, tally, endings);',
    to: '',
  },
  {
    name: 'an item is written when one of those that were made of it is',
    suite: '--lives',
    file: 'operations/madeWrites.js',
    from: 'if (several.left > 0)',
    to: 'if (several.left > 0 && reject !== undefined)',
  },
  {
    name: 'a change of a job of its own that was made already is a reject',
    suite: '--lives',
    file: 'publish/conflictResolver.js',
    from: "const mayBeMine = entry.ambiguous || lookOf(entry) === 'origin';",
    to: 'const mayBeMine = entry.ambiguous;',
  },
  {
    name: 'a job runs ahead of a checkpoint that is slow to come to the disk',
    suite: '--lives',
    file: 'operations/jobRun.js',
    from: 'return late && this.untilStopped(late);',
    to: 'return undefined;',
    test: ['namedJobs.test.js', 'state on a slow'],
  },
  {
    name: 'the checkpoint before the last is not kept',
    suite: '--lives',
    file: 'storage/replaceFile.js',
    from: 'if (previous !== undefined)\n        moveAside(disk, target, join(directory, previous));',
    to: 'if (previous !== undefined && disk.sizeOf(target) !== undefined)\n        disk.remove(target);',
    test: ['../job/jobDirectory.test.js', 'a job directory'],
  },
  {
    name: 'whoever comes takes the lock',
    suite: '--lives',
    file: 'job/directoryLock.js',
    from: 'if (holder !== undefined && !isGone(holder, options))',
    to: 'if (false)',
    test: ['../job/jobDirectory.test.js', 'the lock of a job directory'],
  },
  {
    name: 'marks of what is done are not looked at',
    suite: '--lives',
    file: 'operations/updateAll.js',
    from: 'raw.attribute(this.#once) === this.#onceText',
    to: 'false',
  },
  {
    name: 'that something must not be done twice is forgotten',
    suite: '--lives',
    file: 'job/jobDirectory.js',
    from: /this\.#disk\.createNew\(path, [^;]*\);/,
    to: '',
  },
  {
    name: 'what a run has added is forgotten where the one before it had ended well',
    suite: '--lives',
    file: 'job/jobDirectory.js',
    from: 'return checkpoint?.clean !== true || since >= checkpoint.sequence;',
    to: 'return checkpoint?.clean !== true;',
    test: ['../job/jobDirectory.test.js', 'what must not be done twice'],
  },
  {
    name: 'a job that was stopped with something in doubt may repeat',
    suite: '--lives',
    file: 'operations/jobRun.js',
    from: 'clean = (engine?.doubtful ?? 0) === 0;',
    to: 'clean = true;',
  },
  {
    name: 'changes are sent before their old images are on the disk',
    suite: '--lives',
    file: 'operations/oldImages.js',
    from: 'await this.#file.sync();',
    to: '',
  },
  {
    name: 'the name of the old images is left to the disk',
    suite: '--lives',
    file: 'operations/oldImages.js',
    from: 'await this.#directory.syncNames();',
    to: '',
  },
  {
    name: 'what others have changed since is put back all the same',
    suite: '--lives',
    file: 'operations/oldImages.js',
    from: /const expectNames = \[\.\.\.new Set\(.*\)\];/,
    to: 'const expectNames = [];',
  },
  {
    name: 'an export is called as it shall be before it is whole',
    suite: '--lives',
    file: 'operations/exportTable.js',
    from: 'if (complete)\n            await this.#target.seal',
    to: 'if (true)\n            await this.#target.seal',
  },
  {
    name: 'items are counted before they are in the file',
    suite: '--lives',
    file: 'operations/chunkFile.js',
    from: 'this.#onWritten.push(onWritten);',
    to: 'onWritten();',
  },
  {
    name: 'of several that are made of an item only the last counts',
    suite: '--lives',
    file: 'operations/madeWrites.js',
    from: 'several.reject ??= reject;',
    to: 'several.reject = reject;',
  },
]

/** By whom it was caught, and what was said; undefined when it was not. */
function judge({ suite, test }, mutants) {
  const simulate = join(mutants, 'test/simulation/simulate.js')
  const suites = suite === undefined ? [] : [suite]
  const { stdout, signal } = spawnSync(process.execPath, [simulate, ...suites, '--seeds', `${SEEDS}`, '--stop'], {
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

runMutations({ name: 'simulation', mutations, folders: ['simulation', 'job', 'operations', 'support'], judge })
