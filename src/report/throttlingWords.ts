/** A reason for throttles, in words. */
export interface ThrottlingWords {
  /** What is short, in a few words, for a progress line. */
  readonly short: string
  /** What happened and what to do about it, a sentence each. */
  readonly sentence: string
}

/**
 * What the service's reason for a throttle means. There are sixteen: of a table or an index, of reads or writes, and four
 * things that can be short (API reference, ThrottlingReason).
 *
 * @param label the reason as a summary has it, such as `IndexWriteProvisionedThroughputExceeded (byGroup)`
 * @returns the label itself for a reason that is not known
 */
export function throttlingWords(label: string): ThrottlingWords {
  const match =
    /^(Table|Index)(Read|Write)(ProvisionedThroughput|AccountLimit|KeyRangeThroughput|MaxOnDemandThroughput)Exceeded(?: \((.+)\))?$/.exec(
      label,
    )
  if (match === null) return { short: label, sentence: label }
  const [, owner, direction, shortage, name] = match
  const kind = direction === 'Read' ? 'read' : 'write'
  const isIndex = owner === 'Index'
  const who = !isIndex ? 'the table' : name === undefined ? 'an index' : `index ${name}`
  const holdsUp = isIndex && kind === 'write'
  const lower = `--${kind}-rate`
  switch (shortage) {
    case 'ProvisionedThroughput':
      return {
        short: `${kind} units of ${who}`,
        sentence: holdsUp
          ? `${who} has too few provisioned write units, and holds the table up. Give it as many as the table has`
          : `${who} used up its provisioned ${kind} units. Give it more, or ask for less with ${lower}`,
      }
    case 'MaxOnDemandThroughput':
      return {
        short: `on-demand maximum of ${who}`,
        sentence: `${who} came to the maximum of ${kind} units that was set for it on demand${holdsUp ? ', and holds the table up' : ''}. Raise that maximum, or take the time`,
      }
    case 'AccountLimit':
      return {
        short: `account quota for ${kind}s`,
        sentence: `${who} came to the account's quota of ${kind} units for one table. Ask for a higher one in Service Quotas, or ask for less with ${lower}`,
      }
    default:
      return {
        short: `hot key range of ${who}`,
        sentence: `${who} has a hot key range: many ${kind}s fell on few of its keys, and a partition gives ${direction === 'Read' ? '3,000 read' : '1,000 write'} units a second. ${hotAdvice(kind, isIndex)}`,
      }
  }
}

function hotAdvice(kind: 'read' | 'write', isIndex: boolean): string {
  if (isIndex && kind === 'write') return 'Use an index key of more different values'
  if (kind === 'write') return 'Use partition keys of more different values, or load several files at once'
  return 'It is read more slowly than the rest'
}
