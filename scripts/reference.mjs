// Writes docs/reference/cli.md from the declarations of commands and options. A test keeps the two in step.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cliReference } from '../.build/src/cli/cliReference.js'

mkdirSync('docs/reference', { recursive: true })
writeFileSync('docs/reference/cli.md', cliReference())
