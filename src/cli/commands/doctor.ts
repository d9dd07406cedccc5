import type { Finding } from '../../doctor/finding.ts'
import { command } from '../command.ts'
import { EXIT } from '../exitCode.ts'
import { option, repeatable } from '../option.ts'
import { COMMON, type CommonFlags, yes } from '../options.ts'

export const checkSetup = command({
  name: 'doctor',
  arguments: '[table]',
  section: 'Tables',
  summary: 'Check the setup: credentials, endpoint, clock, and the permissions on a table',
  description:
    'Checks what a job depends on and prints a line for each check: ok, unknown, warning or failure, with what to do next. It changes nothing, unless you pass --probe or have it drop tables that a killed probe left. Exit status: 0 without failures, 4 for configuration or credentials, 5 if DynamoDB refuses, else 1.',
  examples: [
    'headrace doctor',
    'headrace doctor users --for load --for update',
    'headrace doctor --probe --profile sandbox --region eu-west-1',
  ],
  options: [
    repeatable(
      option('--for <command>', {
        group: 'Common options',
        description: 'fail unless this identity may run this command on the table, such as load; repeatable',
        defaultText: 'list the commands that it may run',
      }),
    ),
    option('--probe', {
      group: 'Common options',
      description:
        'create two throwaway tables, compare DynamoDB to what Headrace expects, drop them, and print a report for an issue (costs less than a cent)',
    }),
    yes,
    ...COMMON,
  ],
  async run([table], flags) {
    const { examine } = await import('../../doctor/examine.ts')
    const { verbsOfTable } = await import('../../doctor/examineTable.ts')
    const { systemClock } = await import('../../runtime/clock.ts')
    const { printable } = await import('../../runtime/printable.ts')
    const { counted } = await import('../../runtime/counted.ts')
    const { agree } = await import('../confirm.ts')
    const { Interruption } = await import('../interruption.ts')
    const { connectionOptions } = await import('../openDatabase.ts')
    const { readVersion } = await import('../readVersion.ts')
    const { Talk } = await import('../talk.ts')
    const { for: verbs, probe = false, quiet = false, json = false } = flags
    const unknown = verbs?.find((verb) => !verbsOfTable().includes(verb))
    if (unknown !== undefined)
      throw new TypeError(
        `--for ${unknown}: not a command that needs permissions. These do: ${verbsOfTable().join(', ')}`,
      )
    if (verbs !== undefined && table === undefined) throw new TypeError('--for needs a table: headrace doctor TABLE')
    const isAsked = process.stdin.isTTY === true
    if (probe && flags.yes !== true && !isAsked)
      throw new TypeError('--probe creates two tables and drops them. Pass --yes where nobody can be asked')
    const talk = new Talk(flags)
    const interruption = new Interruption(talk, probe ? 'stopping: the tables of the probe are dropped' : 'stopping')
    const findings: Finding[] = []
    try {
      const markdown = await examine({
        options: connectionOptions(flags satisfies CommonFlags),
        environment: process.env,
        clock: systemClock,
        signal: interruption.signal,
        headraceVersion: readVersion(),
        table,
        verbs,
        probe,
        report: (finding) => {
          findings.push(finding)
          const { check, state, message, advice } = finding
          talk.event('finding', { check, state, message, advice })
          if (!json && (!quiet || state === 'failure')) process.stdout.write(`${printable(lineOf(finding))}\n`)
        },
        mayDrop: async (names) =>
          flags.yes === true ||
          (isAsked &&
            (await agree(
              `Drop ${counted(names.length, 'table')} of an earlier probe (${names.join(', ')})?`,
              interruption.signal,
            ))),
        mayCreate: async () =>
          flags.yes === true ||
          (await agree(
            'Create two throwaway tables, and drop them afterwards? It costs less than a cent.',
            interruption.signal,
          )),
      })
      if (markdown !== undefined) {
        talk.event('probe', { markdown })
        if (!json) process.stdout.write(`\n${printable(markdown)}\n\n`)
      }
    } catch (error) {
      if (interruption.exitCode === undefined) throw error
    } finally {
      interruption.release()
    }
    const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length
    const counts = {
      ok: count('ok'),
      unknown: count('unknown'),
      warnings: count('warning'),
      failures: count('failure'),
    }
    talk.event('done', { operation: 'doctor', table, ...counts })
    if (!json && !quiet) {
      const { ok, unknown, warnings, failures } = counts
      const notKnown = unknown === 0 ? '' : `${unknown} unknown, `
      talk.show(
        `${counted(findings.length, 'check')}: ${ok} ok, ${notKnown}${counted(warnings, 'warning')}, ${counted(failures, 'failure')}`,
      )
    }
    process.exitCode = interruption.exitCode ?? exitStatusOf(findings)
  },
})

/** The check's column; a longer name has its line shifted. */
const CHECK_COLUMNS = 22

function lineOf({ check, state, message, advice }: Finding): string {
  const text = advice === undefined ? message : `${message}. ${advice}`
  return `${state.padEnd(7)}  ${check.padEnd(CHECK_COLUMNS)}  ${text}`
}

function exitStatusOf(findings: readonly Finding[]): number {
  const kinds = findings.flatMap(({ state, kind }) => (state === 'failure' ? [kind] : []))
  if (kinds.length === 0) return EXIT.done
  if (kinds.includes('configuration')) return EXIT.configuration
  return kinds.includes('refused') ? EXIT.refused : EXIT.failure
}
