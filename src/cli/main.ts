#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { Command, CommanderError } from 'commander'
import { systemClock } from '../runtime/clock.ts'
import { printable } from '../runtime/printable.ts'
import { EXIT, exitCodeOf } from './exitCode.ts'
import {
  addConnectionOptions,
  addFilterOptions,
  addInFlightOption,
  addLimitOptions,
  addPlanOptions,
  addRateOptions,
  addReadOptions,
  addS3Options,
  addShowOptions,
  addStateOptions,
  addTalkOptions,
  addThreadsOption,
  addTransformOption,
  addWriteOptions,
  ifExistsOption,
  keySchema,
  listOption,
  rate,
  wholeFrom,
  workers,
} from './options.ts'
import { readVersion } from './readVersion.ts'

const s3Reading = (command: Command): Command => addS3Options(command, false)
const s3Writing = (command: Command): Command => addS3Options(command, true)
const readRates = (command: Command): Command => addRateOptions(command, 'read')
const writeRates = (command: Command): Command => addRateOptions(command, 'write')
const readWriteRates = (command: Command): Command => addRateOptions(command, 'read', 'write')

// Before it looks for garbage V8 lets the heap grow to several times what was in use, where the machine has the memory: an
// update took 500 MB of which 60 were in use. Half as much again costs no more time (docs/explanation/performance.md).
setFlagsFromString('--heap-growing-percent=50')

/** Commands load what they need when they run, so that help answers at once. */
const program = new Command('headrace')

const EXIT_CODES = `
Exit status:
  0 done · 1 failure · 2 usage · 3 done, with rejects · 4 credentials or configuration
  5 the service refuses · 6 stopped at a limit, or no progress within the patience · 7 diff found differences
  130/143 stopped by a signal

Endpoint, region and credentials come from flags, environment and ~/.aws, as for every AWS tool.
For a DynamoDB on this machine: headrace local, then --endpoint-url http://localhost:8000`

program
  .description('Bulk work on Amazon DynamoDB: millions of items at the speed the table allows, without losing one.')
  .version(readVersion())
  .configureHelp({ helpWidth: 110, showGlobalOptions: false })
  .showHelpAfterError('(add --help for what it takes)')
  .addHelpText('after', EXIT_CODES)
  // Also what it says of a wrong command line; commands take it over.
  .configureOutput({ writeErr: (text) => void process.stderr.write(printable(text)) })
  .exitOverride()

function verb(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
  options: readonly ((command: Command) => Command)[] = [],
): Command {
  const command = parent
    .command(usage)
    .description(description)
    // Of a long one, the list of commands has the first sentence.
    .summary(description.split(/(?<=\.) /)[0]!)
    .configureHelp({ helpWidth: 110 })
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
    .exitOverride()
  for (const add of options) add(command)
  return command
}

verb(
  program,
  'local',
  'Run a DynamoDB on this machine until Ctrl-C; in memory, or in a folder.',
  ['headrace local', 'headrace local --port 8000', 'headrace local --port 8000 --data ./dynamodb-data'],
  [addTalkOptions],
)
  .option('--port <port>', 'where it listens', wholeFrom(0), 8000)
  .option('--data <directory>', 'keep the tables in this folder')
  .option('--kind <kind>', 'dynoxide or dynalite (default: whichever is installed)')
  .action(async (flags) => (await import('./commands/local.ts')).local(flags))

verb(
  program,
  'simulate',
  'A DynamoDB that throttles and fails as the real one does. With --port it serves any client until Ctrl-C, in front of an embedded store; without, it plays a scenario with Headrace as the client, in virtual time: minutes in seconds.',
  [
    "headrace simulate --port 8000 --write-units 500 --faults 'throttle=0.1, reset after=0.02'",
    'headrace simulate --list',
    'headrace simulate --scenario slow-index --seed 7 --plot slow-index.svg',
  ],
  [addTalkOptions],
)
  .option('--seed <n>', 'which dice; the same seed throws the same', wholeFrom(0), 1)
  .optionsGroup('Options with --port:')
  .option('--port <port>', 'where it listens; 0 for any that is free', wholeFrom(0))
  .option(
    '--write-units <n>',
    'write units a second of each table and index (default: as it was made; 100 beside --read-units)',
    wholeFrom(1),
  )
  .option(
    '--read-units <n>',
    'read units a second of each table and index (default: as it was made; 100 beside --write-units)',
    wholeFrom(1),
  )
  .option('--on-demand', 'each table is on demand, however it was made')
  .option('--partitions <n>', 'partitions of each table (default: as its units need)', wholeFrom(1))
  .option('--burst-seconds <n>', 'seconds of unused units that are saved (default 300)', wholeFrom(0))
  .option('--latency-ms <n>', 'half of all batches are answered within so many milliseconds (default 10)', wholeFrom(0))
  .option(
    '--faults <faults>',
    'faults and their shares of all requests, such as "throttle=0.1, reset after=0.02"; docs/guides/simulator.md lists them',
  )
  .option('--upstream <url>', 'the store behind it, such as http://localhost:8001 (default: one of its own)')
  .optionsGroup('Options of scenarios:')
  .option('--list', 'say which scenarios there are')
  .option('--scenario <name>', 'what befalls the table (default limit-1000)')
  .option('--plot <file>', 'draw it, as an SVG: units there, used and allowed, throttles, requests in flight')
  .action(async (flags) => (await import('./commands/simulate.ts')).simulateCommand(flags))

const table = program.command('table').description('Make, look at and drop tables.').exitOverride()

verb(
  table,
  'create <table>',
  'Make a table and wait until it can be used.',
  [
    'headrace table create users --key id:S',
    'headrace table create orders --key customer:S,number:N --read-units 100 --write-units 500',
    'headrace table create orders --key customer:S,number:N --replace --yes',
  ],
  [addConnectionOptions, addTalkOptions],
)
  .requiredOption(
    '--key <key>',
    'partition key and sort key with their types, such as id:S or customer:S,number:N',
    keySchema,
  )
  .option('--read-units <n>', 'provisioned read units a second (default: on demand)', wholeFrom(1))
  .option('--write-units <n>', 'provisioned write units a second (default: on demand)', wholeFrom(1))
  .option('--replace', 'drop a table of this name first, with everything in it')
  .option('--yes', 'do not ask before dropping')
  .action(async (name, flags) => (await import('./commands/table.ts')).create(name, flags))

verb(
  table,
  'drop <table>',
  'Drop a table with everything in it, and wait until it is gone.',
  [
    'headrace table drop users',
    'headrace table drop users --yes',
    'headrace table drop users --yes --endpoint-url http://localhost:8000',
  ],
  [addConnectionOptions, addTalkOptions],
)
  .option('--yes', 'do not ask')
  .action(async (name, flags) => (await import('./commands/table.ts')).drop(name, flags))

verb(
  table,
  'describe <table>',
  'Show what the service tells of a table.',
  [
    'headrace table describe users',
    'headrace table describe users --json',
    'headrace table describe users --profile production --region eu-west-1',
  ],
  [addConnectionOptions, addTalkOptions],
).action(async (name, flags) => (await import('./commands/table.ts')).describe(name, flags))

verb(
  table,
  'wait <table>',
  'Wait until a table is ACTIVE.',
  ['headrace table wait users', 'headrace table wait users --quiet', 'headrace table wait users --json'],
  [addConnectionOptions, addTalkOptions],
).action(async (name, flags) => (await import('./commands/table.ts')).wait(name, flags))

verb(
  program,
  'generate <table>',
  'Fill a table with made items; the same seed makes the same items.',
  [
    'headrace generate orders --items 50000',
    'headrace generate orders --items 1000000 --item-bytes 1000 --seed 7',
    `headrace generate users --items 1000 --template '{"id":"user-{{index}}","age":"{{whole 18 99}}"}'`,
  ],
  [addConnectionOptions, addWriteOptions, writeRates, addShowOptions, addTalkOptions],
)
  .requiredOption('--items <n>', 'how many', wholeFrom(1))
  .option('--seed <n>', 'which ones', wholeFrom(0), 1)
  .option(
    '--template <json>',
    'an item with {{placeholders}} (index, whole, decimal, pick, word, name, hex, flag, time), or @FILE',
  )
  .option('--item-bytes <n>', 'pad each item to this size', wholeFrom(1))
  .action(async (name, flags) => (await import('./commands/generate.ts')).generateCommand(name, flags))

verb(
  program,
  'load <table> <files...>',
  'Write every record of files into a table. A directory stands for all files in it and below it that end in .jsonl, .ndjson, .json, .csv, .tsv or .ion, also with .gz or .zst; a pattern in quotes stands for what it matches; both also in S3; "-" is standard input. Several files are read side by side; of two records of one key in one file the later one stays.',
  [
    'headrace load users users.jsonl.gz more.csv',
    'headrace load orders export/AWSDynamoDB/01693685827463-2d8752fd --rate 50%',
    'headrace load users "s3://backups/users/2026-*.jsonl.gz"',
    'headrace load users users.jsonl --key id:S --dry-run',
  ],
  [
    addConnectionOptions,
    addWriteOptions,
    addThreadsOption,
    writeRates,
    addPlanOptions,
    addShowOptions,
    addTalkOptions,
    addTransformOption,
    s3Reading,
  ],
)
  .option(
    '--format <format>',
    'jsonl, json, ddb-json, csv, parquet or ion (default: from the name or the first record)',
  )
  .option(
    '--key <key>',
    'make the table with this key if there is none, such as id:S or customer:S,number:N',
    keySchema,
  )
  .option('--keep-old', "keep what is replaced in the job's directory, so that headrace undo can put it back")
  .addOption(ifExistsOption())
  .option('--from-rejects', 'the files are rejects of an earlier job, such as .headrace/JOB/rejects.jsonl')
  .option('--types <types>', 'types of CSV columns that are not text, such as age=N,active=BOOL,tags=json')
  .option(
    '--split',
    'with --threads or --slices: cut large files of lines into parts; of two lines with one key either may be the last',
  )
  .option('--apply-changes', 'the files are an incremental export: write what it puts, delete what it deletes')
  .option('--latest', 'of several full exports of one table load the newest alone')
  .option('--no-verify', 'do not read the files of a native export in advance to compare them with its manifest')
  .option('--delimiter <character>', 'between the cells of a CSV file (default ",", or a tab for .tsv)')
  .action(async (name, paths, flags) => (await import('./commands/load.ts')).loadCommand(name, paths, flags))

verb(
  program,
  'update <table> [visitor]',
  'Show every item to a visitor module (.ts, .js) and write what it asks for.',
  [
    'headrace update users add-tier.ts',
    `headrace update users --set tier='"basic"' --where 'attribute_not_exists(tier)'`,
    'headrace update users --remove legacyFlag --rate 50% --dry-run',
  ],
  [
    addConnectionOptions,
    addReadOptions,
    addFilterOptions,
    addWriteOptions,
    addThreadsOption,
    readWriteRates,
    addPlanOptions,
    addShowOptions,
    addTalkOptions,
  ],
)
  .option('--set <name=json>', 'give every item this attribute (repeatable)', collect)
  .option('--remove <name>', 'take this attribute from every item (repeatable)', collect)
  .option('--keep-old', "keep what is changed in the job's directory, so that headrace undo can put it back")
  .option('--once', 'mark each item that is changed (headrace_once) and change none twice, for edits such as adding 1')
  .option('--visit-timeout <seconds>', 'longest wait for what a visitor returns to settle (default 60)', wholeFrom(1))
  .option(
    '--workers <n>',
    'visit in so many threads, for a module that computes long or that nobody vouches for; auto: if it pays',
    workers,
  )
  .action(async (name, path, flags) => (await import('./commands/update.ts')).updateCommand(name, path, flags))

verb(
  program,
  'delete <table>',
  'Delete the items of a table for which an expression holds, or all of them.',
  [
    `headrace delete sessions --where "expires < 1700000000"`,
    'headrace delete staging-users --all --yes',
    `headrace delete users --where "attribute_not_exists(email)" --rate 200 --max-duration 8h`,
  ],
  [
    addConnectionOptions,
    addReadOptions,
    addFilterOptions,
    addWriteOptions,
    addThreadsOption,
    readWriteRates,
    addPlanOptions,
    addShowOptions,
    addTalkOptions,
  ],
)
  .option('--keep-old', "keep what is deleted in the job's directory, so that headrace undo can put it back")
  .option('--all', 'every item, where there is no --where')
  .option('--yes', 'do not ask before deleting')
  .action(async (name, flags) => (await import('./commands/delete.ts')).deleteCommand(name, flags))

verb(
  program,
  'copy <source> <target>',
  'Write every item of one table into another, which may be in another region or account. The source is only read; what the target has besides stays.',
  [
    'headrace copy users users-v2',
    'headrace copy orders orders --target-region eu-central-1 --rate 50%',
    'headrace copy users staging-users --target-profile staging --transform scrub.ts',
  ],
  [
    addConnectionOptions,
    addReadOptions,
    addWriteOptions,
    addThreadsOption,
    readWriteRates,
    addPlanOptions,
    addShowOptions,
    addTalkOptions,
    addTransformOption,
  ],
)
  .option('--keep-old', "keep what is replaced in the job's directory, so that headrace undo can put it back")
  .addOption(ifExistsOption())
  .option('--target-region <region>', 'AWS region of the target (default: as the source)')
  .option('--target-profile <name>', 'profile of ~/.aws/config for the target (default: as the source)')
  .option('--target-endpoint-url <url>', 'DynamoDB that the target is in (default: as the source)')
  .action(async (source, target, flags) => (await import('./commands/copy.ts')).copyCommand(source, target, flags))

verb(
  program,
  'export <table> [file]',
  'Write the items of a table into one file, or one object in S3: JSON Lines, CSV, Parquet, XML or Ion; packed where the name ends in .gz or .zst. A copy that loads back as it was, unless the name or --format says otherwise. With --native, DynamoDB exports to S3 by itself.',
  [
    'headrace export users users.ddb.jsonl.gz',
    `headrace export orders open.jsonl --format jsonl --where "status = 'open'" --select customer,number,total`,
    'headrace export users contacts.jsonl --format jsonl --transform contact.ts',
    'headrace export users s3://backups/users.ddb.jsonl.gz --bucket-owner 123456789012',
    'headrace export orders orders.parquet',
    'headrace export orders orders.csv --columns id,placed,total:N,lines:json --csv-safe',
    'headrace export orders backup --format native',
    'headrace export orders --native s3://backups/orders',
    'headrace export books catalogue.xml --xml-root catalogue --xml-item book --xml-attributes isbn,year',
  ],
  [
    addConnectionOptions,
    addStateOptions,
    addReadOptions,
    readRates,
    addPlanOptions,
    addShowOptions,
    addTalkOptions,
    addTransformOption,
    s3Writing,
  ],
)
  .option(
    '--format <format>',
    'ddb-json (loses nothing), jsonl (plain; sets become lists, binary base64), csv, parquet, xml, ion (loses nothing), or native (a directory as an export of DynamoDB to S3 has it) (default: by the name, else ddb-json)',
  )
  .option(
    '--columns <columns>',
    'of CSV, as id,price:N,tags:json, or of Parquet, by name alone (default: found in all items)',
  )
  .option('--delimiter <character>', 'between the cells of CSV; \\t is a tab (default: a comma, or a tab for .tsv)')
  .option('--csv-safe', "put ' in front of text that a spreadsheet would take for a formula; it stays there")
  .option(
    '--native <s3-address>',
    "begin DynamoDB's own export to s3://BUCKET/PREFIX and wait for it, which takes point-in-time recovery and no read units; or wait for the one of this ARN",
  )
  .option('--data-file-mb <n>', 'with --format native: megabytes of a data file, packed (default 100)', wholeFrom(1))
  .option('--xml-root <name>', 'the element around all (default: items)')
  .option('--xml-item <name>', 'the element of each item (default: item)')
  .option(
    '--xml-attributes <names>',
    "attributes that become attributes of the item's element, with commas between them",
  )
  .option('--xml-mapping <module>', 'a module (.ts, .js) whose function makes of each item an element of your own')
  .option('--select <names>', 'only these attributes, with commas between them')
  .option('--index <name>', 'read a secondary index instead')
  .option('--consistent-read', 'see every write that ended before the scan began, at twice the price')
  .option('--overwrite', 'take the place of a file of that name')
  .action(async (name, path, flags) => (await import('./commands/export.ts')).exportCommand(name, path, flags))

verb(
  program,
  'run <module>',
  'Run a job of your own, which a module (.ts, .js) defines: a source, what is made of each item, a sink. The flags take precedence over what the module says.',
  [
    'headrace run order-lines.ts --dry-run',
    'headrace run order-lines.ts --rate 50%',
    'headrace run nightly.ts --job jobs/nightly --max-errors 1%',
  ],
  [addConnectionOptions, addWriteOptions, readWriteRates, addPlanOptions, addShowOptions, addTalkOptions],
)
  .addOption(ifExistsOption())
  .action(async (module, flags) => (await import('./commands/run.ts')).runCommand(module, flags))

verb(
  program,
  'resume <directory>',
  'Go on with a job that was stopped, or whose process died, from its directory. What is settled is not done again.',
  [
    'headrace resume .headrace/update-users-20260801T101500-a1',
    'headrace resume .headrace/update-users-20260801T101500-a1 --rate 500 --max-duration 8h',
    'headrace resume jobs/nightly --json',
  ],
  [
    addConnectionOptions,
    addInFlightOption,
    addThreadsOption,
    addLimitOptions,
    readWriteRates,
    addShowOptions,
    addTalkOptions,
  ],
).action(async (directory, flags) => (await import('./commands/resume.ts')).resumeCommand(directory, flags))

verb(
  program,
  'slice <job>',
  'Do one part of a job that --describe has written, on this machine or as one of an array of containers. Where it is is kept in a directory of its own or in a control table, and the same command goes on.',
  [
    'headrace update users add-tier.mjs --describe add-tier.json --slices 40',
    'headrace slice add-tier.json --index 7 --of 40',
    'headrace slice add-tier.json --of 40 --rate 4000 --workers 10 --control-table headrace-control',
  ],
  [addConnectionOptions, addWriteOptions, readWriteRates, addTalkOptions],
)
  .option('--index <n>', 'which slice, from 0 on (default: AWS_BATCH_JOB_ARRAY_INDEX)', wholeFrom(0))
  .requiredOption('--of <n>', 'so many slices are the whole job', wholeFrom(1))
  .option('--workers <n>', 'so many run at a time: each spends its part of the rate (default: all)', wholeFrom(1))
  .option(
    '--control-table <table>',
    'a table with the key pk:S: where a slice is is kept there, so that any machine goes on with it, and a rate in units is shared: one spends what others leave',
  )
  .option('--rejects <file>', 'with --control-table: where rejects go (default: a file named for the slice)')
  .action(async (job, flags) => (await import('./commands/slice.ts')).sliceCommand(job, flags))

verb(
  program,
  'undo <directory>',
  'Put back what a job that was run with --keep-old has changed. What others have changed since stays as it is, and is listed in the rejects.',
  [
    'headrace undo .headrace/update-users-20260801T101500-a1',
    'headrace undo .headrace/delete-sessions-20260801T101500-b2 --rate 50%',
    'headrace undo jobs/nightly --job jobs/nightly-undone --json',
  ],
  [addConnectionOptions, addWriteOptions, writeRates, addShowOptions, addTalkOptions],
).action(async (directory, flags) => (await import('./commands/undo.ts')).undoCommand(directory, flags))

verb(
  program,
  'status [directory]',
  'Say how a job stands, or all jobs in .headrace.',
  ['headrace status', 'headrace status .headrace/update-users-20260801T101500-a1', 'headrace status --json'],
  [addTalkOptions],
).action(async (directory, flags) => (await import('./commands/status.ts')).statusCommand(directory, flags))

verb(
  program,
  'report <directory>',
  'Show how a job went, or goes, as one page: units, items and latency over time, throttles, rejects, and what became of each item.',
  [
    'headrace report .headrace/update-users-20260801T101500-a1',
    'headrace report jobs/nightly --out nightly.html',
    'headrace report jobs/nightly --out nightly.png',
  ],
  [addTalkOptions],
)
  .option('--out <file>', 'a page (.html) or its picture alone (.svg, .png); default: report.html in the directory')
  .action(async (directory, flags) => (await import('./commands/report.ts')).reportCommand(directory, flags))

const bench = program
  .command('bench')
  .description('Measure how fast it goes here: ways to do one job, and one job on tables of more and more capacity.')
  .exitOverride()

verb(
  bench,
  'strategies',
  'Give every item of a table a new attribute in each way that people try: one by one, with a batch writer, with producers and consumers, in several processes, and as Headrace does by itself. On an embedded store, unless an endpoint is named; the table is made for it and dropped.',
  [
    'headrace bench strategies',
    'headrace bench strategies --items 50000 --producers 1,4 --consumers 1,10 --rounds 3',
    'headrace bench strategies --endpoint-url http://localhost:8000 --out bench',
  ],
  [addConnectionOptions, addTalkOptions],
)
  .option('--items <n>', 'items in the table', wholeFrom(1), 50_000)
  .option('--item-bytes <n>', 'of one item', wholeFrom(100), 200)
  .addOption(listOption('--producers <list>', 'segments that are read at once', [1, 2, 4, 8]))
  .addOption(listOption('--consumers <list>', 'batches that are written at once', [1, 5, 10]))
  .option('--processes <n>', 'of several processes (default: as many as there are cores)', wholeFrom(1))
  .option('--rounds <n>', 'times that each way is run, in turn; the fastest counts', wholeFrom(1), 3)
  .option('--out <directory>', 'where strategies.json and strategies.svg go', '.')
  .option('--yes', 'do not ask before writing to a DynamoDB that is not on this machine')
  .action(async (flags) => (await import('./commands/bench.ts')).benchStrategies(flags))

verb(
  bench,
  'capacity',
  'Give every item of a table a new attribute where the table is provisioned with more and more units: how long it takes, and what is used of them. In virtual time, against the simulator: an hour in seconds.',
  [
    'headrace bench capacity',
    'headrace bench capacity --items 50000 --units 100,200,500,1000 --rate 100%',
    'headrace bench capacity --items 200000 --item-bytes 3000 --out bench',
  ],
  [addTalkOptions],
)
  .option('--items <n>', 'items in the table', wholeFrom(1), 50_000)
  .option('--item-bytes <n>', 'of one item', wholeFrom(100), 200)
  .addOption(listOption('--units <list>', 'read and write units a second', [100, 200, 500, 1_000]))
  .option('--rate <rate>', 'units to spend a second, or a part of what there is', rate, '80%')
  .option('--seed <n>', 'which dice', wholeFrom(0), 1)
  .option('--out <directory>', 'where capacity.json and capacity.svg go', '.')
  .action(async (flags) => (await import('./commands/bench.ts')).benchCapacity(flags))

verb(
  program,
  'count <table>',
  'Count the items of a table, exactly, by reading all of it; or about, by a sample.',
  ['headrace count users', `headrace count users --where "tier = 'basic'"`, 'headrace count users --sample --json'],
  [addConnectionOptions, addReadOptions, readRates, addTalkOptions],
)
  .option('--sample', 'about how many, and between which numbers, from some segments: at most 4,096 read units')
  .option('--index <name>', 'count a secondary index instead')
  .option('--consistent-read', 'see every write that ended before the scan began, at twice the price')
  .action(async (name, flags) => (await import('./commands/count.ts')).countCommand(name, flags))

verb(
  program,
  'scan <table>',
  'Write the items of a table to standard output, one JSON object a line.',
  [
    'headrace scan users > users.jsonl',
    `headrace scan users --where "country = 'NO'" --select id,name --limit 10`,
    'headrace scan users --format ddb-json | gzip > users.ddb.jsonl.gz',
  ],
  [addConnectionOptions, addReadOptions, readRates, addTalkOptions],
)
  .option('--select <names>', 'only these attributes, with commas between them')
  .option('--format <format>', 'jsonl (plain; sets become lists, binary base64) or ddb-json (lossless)', 'jsonl')
  .option('--limit <n>', 'stop after so many items', wholeFrom(1))
  .option('--index <name>', 'read a secondary index instead')
  .option('--consistent-read', 'see every write that ended before the scan began, at twice the price')
  .action(async (name, flags) => (await import('./commands/scan.ts')).scanCommand(name, flags))

verb(
  program,
  'deploy <operation>',
  'Write the CloudFormation template of a state machine and functions that do jobs of an operation (update, delete, copy, load, run, export) in slices, without an end of time; or of a queue whose records are written (queue). Needs aws-cdk-lib beside headrace.',
  [
    'headrace deploy update --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --module add-tier.mjs --synth out',
    'headrace deploy export --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --target s3://my-bucket/exports/ --synth out',
    'headrace deploy load --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --sources s3://my-bucket/in/ --synth out',
    'headrace deploy queue --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --synth out',
  ],
  [addTalkOptions],
)
  .requiredOption('--table <arn>', 'the table')
  .requiredOption('--synth <directory>', 'where the template goes, and what the functions are made of')
  .option('--other-table <arn>', 'the other table of an operation with two: the target of a copy')
  .option('--module <file...>', 'visitors and what they import, below the working directory')
  .option('--sources <address>', 'of a load, where its files lie: s3://BUCKET/PREFIX')
  .option('--target <address>', 'of an export, with what the address of its object begins: s3://BUCKET/PREFIX')
  .option('--rejects <address>', 'of a queue, where rejected records go: s3://BUCKET/PREFIX')
  .option('--concurrency <n>', 'slices at once (default 40), or functions of a queue (default 10)', wholeFrom(1))
  .option('--optional <rights>', 'optional rights to grant too, with commas between them; headrace iam names them')
  .action(async (operation, flags) => (await import('./commands/deploy.ts')).deployCommand(operation, flags))

verb(
  program,
  'pack-spark <out>',
  'Make the archive that tasks of Spark publish with: Node for Linux, fetched from npm, and this Headrace; with headrace.py beside it. See docs/guides/spark.md.',
  [
    'headrace pack-spark headrace-spark.tgz',
    'headrace pack-spark headrace-spark.tgz --arch arm64',
    'headrace pack-spark headrace-spark.tgz --node /opt/node/bin/node',
  ],
  [addTalkOptions],
)
  .option('--arch <arch>', 'of the executors: x64 or arm64', 'x64')
  .option('--node-version <version>', 'of the Node that is fetched', '22')
  .option('--node <file>', 'pack this Node, and fetch none')
  .action(async (out, flags) => (await import('./commands/packSpark.ts')).packSparkCommand(out, flags))

verb(program, 'iam <verb...>', 'Print the least IAM policy under which a verb runs.', [
  'headrace iam load --table arn:aws:dynamodb:eu-west-1:123456789012:table/users',
  'headrace iam update --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --optional',
  'headrace iam table create --table arn:aws:dynamodb:eu-west-1:123456789012:table/users',
])
  .requiredOption('--table <arn>', 'the table, as an ARN')
  .option('--other-table <arn>', 'the other table of a verb with two')
  .option('--index <name>', 'a secondary index that is read in place of the table')
  .option('--optional [actions]', 'grant optional rights too: all of them, or these, with commas between them')
  .option('--quiet', 'say only what goes wrong')
  .action(async (words, flags) => (await import('./commands/iam.ts')).iamCommand(words, flags))
verb(
  program,
  'diff <left> <right>',
  'Compare two tables, or a table with a file, and write the differences to standard output, one JSON object a line: what is missing on the right, extra there, or changed. Tables that are written to meanwhile can be compared: what seems to differ is looked at again. Exit status 7 when there are differences.',
  [
    'headrace diff orders orders --target-region eu-central-1',
    'headrace diff users users.ddb.jsonl.gz',
    'headrace diff users users-v2 --fix --yes --rate 50%',
  ],
  [addConnectionOptions, addReadOptions, readWriteRates, addTalkOptions],
)
  .option('--target-read-rate <rate>', 'units to spend a second reading the right table (default: as the left)', rate)
  .option('--target-region <region>', 'AWS region of the right table (default: as the left)')
  .option('--target-profile <name>', 'profile of ~/.aws/config for the right table (default: as the left)')
  .option('--target-endpoint-url <url>', 'DynamoDB that the right table is in (default: as the left)')
  .option('--fix', 'write to the right table what is missing in it or differs; nothing is deleted')
  .option('--yes', 'do not ask before fixing')
  .action(async (left, right, flags) => (await import('./commands/diff.ts')).diffCommand(left, right, flags))

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}

/** How long the process may take to end by itself when its command is done. */
const LEAVE_MS = 3_000

// A reader that has gone away (| head) is no failure of ours, and there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(stream === process.stdout ? 0 : undefined)
    throw error
  })
}

// The SDK says on every start what it will need next year; a tool's user can do nothing about it.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage
  } else {
    const message = error instanceof Error ? error.message : `${error}`
    process.stderr.write(`headrace: ${printable(message)}\n`)
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
