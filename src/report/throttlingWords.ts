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
        short: `${kind} capacity of ${who}`,
        sentence: holdsUp
          ? `${who} has too little provisioned write capacity and slows the table down. Give it as many WCU as the table`
          : `${who} used all of its provisioned ${kind} capacity. Raise it, or lower ${lower}`,
      }
    case 'MaxOnDemandThroughput':
      return {
        short: `on-demand maximum of ${who}`,
        sentence: `${who} reached its on-demand maximum ${kind} throughput${holdsUp ? ' and slows the table down' : ''}. Raise that maximum, or accept the longer run`,
      }
    case 'AccountLimit':
      return {
        short: `account quota for ${kind}s`,
        sentence: `${who} reached the account's per-table ${kind} throughput quota. Request a higher quota in Service Quotas, or lower ${lower}`,
      }
    default:
      return {
        short: `hot key range of ${who}`,
        sentence: `${who} has a hot key range: many ${kind}s went to few keys, and one partition allows ${direction === 'Read' ? '3,000 RCU/s' : '1,000 WCU/s'}. ${hotAdvice(kind, isIndex)}`,
      }
  }
}

function hotAdvice(kind: 'read' | 'write', isIndex: boolean): string {
  if (isIndex && kind === 'write') return 'Use an index key with more distinct values'
  if (kind === 'write') return 'Use partition keys with more distinct values, or load several files at once'
  return 'Headrace reads that range more slowly than the others'
}
