import type { Command } from './command.ts'
import { benchCapacityCommand, benchStrategiesCommand } from './commands/bench.ts'
import { completion } from './commands/completion.ts'
import { copyTable } from './commands/copy.ts'
import { countItems } from './commands/count.ts'
import { deleteItems } from './commands/delete.ts'
import { deploy } from './commands/deploy.ts'
import { diffTables } from './commands/diff.ts'
import { checkSetup } from './commands/doctor.ts'
import { exportItems } from './commands/export.ts'
import { generateItems } from './commands/generate.ts'
import { printPolicy } from './commands/iam.ts'
import { load } from './commands/load.ts'
import { runLocal } from './commands/local.ts'
import { packSpark } from './commands/packSpark.ts'
import { writeJobReport } from './commands/report.ts'
import { resumeJob } from './commands/resume.ts'
import { runModule } from './commands/run.ts'
import { scanItems } from './commands/scan.ts'
import { runSimulator } from './commands/simulate.ts'
import { runSlice } from './commands/slice.ts'
import { showStatus } from './commands/status.ts'
import {
  createTableCommand,
  describeTableCommand,
  dropTableCommand,
  listTablesCommand,
  waitForTableCommand,
} from './commands/table.ts'
import { undoJob } from './commands/undo.ts'
import { update } from './commands/update.ts'

/** All commands, in the order of help and reference. */
export const COMMANDS: readonly Command[] = [
  load,
  update,
  deleteItems,
  copyTable,
  runModule,
  exportItems,
  scanItems,
  countItems,
  diffTables,
  resumeJob,
  showStatus,
  writeJobReport,
  undoJob,
  createTableCommand,
  listTablesCommand,
  describeTableCommand,
  waitForTableCommand,
  dropTableCommand,
  checkSetup,
  runSlice,
  deploy,
  printPolicy,
  packSpark,
  runLocal,
  generateItems,
  runSimulator,
  benchStrategiesCommand,
  benchCapacityCommand,
  completion,
]

/** What commands that have others below them are for. */
export const FAMILIES: { readonly [name: string]: string } = {
  table: 'List, create, describe, wait for and drop tables',
  bench: 'Measure how fast Headrace is here',
}
