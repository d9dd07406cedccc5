#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { CommanderError } from 'commander'
import { systemClock } from '../runtime/clock.ts'
import { printable } from '../runtime/printable.ts'
import { EXIT, exitCodeOf } from './exitCode.ts'
import { makeProgram } from './program.ts'

// Before it looks for garbage V8 lets the heap grow to several times what was in use, where the machine has the memory: an
// update took 500 MB of which 60 were in use. Half as much again costs no more time (docs/explanation/performance.md).
setFlagsFromString('--heap-growing-percent=50')

/** How long the process may take to end by itself when its command is done. */
const LEAVE_MS = 3_000

// A reader that has gone away (| head) is not a failure of ours, and nobody is left to be told.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(stream === process.stdout ? 0 : undefined)
    throw error
  })
}

// The SDK says on every start what it will need next year; a tool's user can do nothing about it.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

try {
  await makeProgram().parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage
  } else {
    process.stderr.write(`headrace: ${printable(error instanceof Error ? error.message : `${error}`)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
// Everything is done and told. What still keeps the process, such as a connection or a process that a credentials provider
// has forgotten, is not waited for.
systemClock.setTimer(leave, LEAVE_MS, true)

function leave(): void {
  // A reader that takes its time gets all of it.
  if (process.stdout.writableLength > 0) process.stdout.once('drain', leave)
  else process.exit()
}
