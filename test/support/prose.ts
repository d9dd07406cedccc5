/** A piece of a page, without markup. */
interface ProseBlock {
  /** Sentences are paragraphs and list items; headings, table cells and picture texts are labels. */
  readonly kind: 'sentences' | 'label'
  /** From 1 on. */
  readonly line: number
  /** Lines are kept, so that a sentence can be found again. */
  readonly text: string
}

interface Sentence {
  readonly line: number
  readonly text: string
}

interface Limits {
  /** Longest sentence, in words. */
  readonly wordsMax: number
}

interface Average {
  readonly sentences: number
  readonly wordsPerSentence: number
}

/** Phrases that confuse readers, and what to say instead. */
const PHRASES: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bcan not\b/i, 'cannot'],
  [
    /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b|fewer\b|less\b|later\b|match\b|different\b|\d)\p{L}+/iu,
    'is not a …',
  ],
  [/\bso many\b/i, 'the number itself, or "n"'],
  [/\b(?:speaks?|spoke) of\b/i, 'describes, lists, contains'],
  [/\bvouch(?:es|ed)?\b/i, 'untrusted code'],
  [/\bprisoner\b/i, 'not sandboxed'],
  [/\bwhatever as\b/i, 'with any result'],
  [/\b(?:go|goes|gone|going|went) on (?:with|from|where|behind)\b/i, 'resume'],
  [/\b(?:dice|die is thrown)\b/i, 'random seed'],
  [/\b(?:takes?|taking|took|taken) the place of\b/i, 'overwrite, replace'],
  [/\bunits?(?: a second)? to spend\b|\bspends? units\b/i, 'capacity units, WCU/RCU'],
  [/\bpushed back\b|\btold to wait\b/i, 'throttled'],
  [/\bat the service at once\b|\bat the service together\b/i, 'in flight'],
  [/\b(?:is|are|was|were) (?:sent|tried|asked) again\b|\b(?:goes|went) again\b/i, 'retried'],
  [/\b(?:goes|go|set|sets|put) aside\b/i, 'parked'],
  [/\bpass(?:es|ed)? over\b/i, 'skipped, filtered'],
  [/\btables? on demand\b/i, 'on-demand table'],
  [/\bwithout being told\b/i, 'by default'],
  [/\bwhat can never be stored\b/i, 'rejected records'],
  [/\bwhat was odd\b/i, 'warnings'],
  [/\bbegun\b/i, 'started'],
  [/\breckon(?:s|ed|ing)?\b/i, 'estimate'],
  [/\bbefalls?\b/i, 'happens to'],
  [/\belement around all\b/i, 'root element'],
  [/\bwhose bucket it must be\b/i, 'expected bucket owner'],
  [/\bthink better of it\b/i, 'undo'],
  [/\bbreath beyond\b|\bvery bad day\b|\bnot rivals\b/i, 'the fact itself'],
]

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'sentence' })
/** They end with a full stop and no sentence does. */
const ABBREVIATION = /\b(?:e\.g|i\.e|etc|vs|cf|approx)\.\s*$/

/**
 * The text of a page as a reader's eye takes it: without code blocks, comments and the lines of tables, inline code as one
 * word, links as their text.
 */
export function proseOf(markdown: string): readonly ProseBlock[] {
  const blocks: ProseBlock[] = []
  let open: { line: number; lines: string[] } | undefined
  const close = (): void => {
    if (open !== undefined) blocks.push({ kind: 'sentences', line: open.line, text: plain(open.lines.join('\n')) })
    open = undefined
  }
  const label = (line: number, text: string): void => {
    if (/\p{L}/u.test(text)) blocks.push({ kind: 'label', line, text: plain(text) })
  }
  for (const [index, line] of withoutCode(markdown).entries()) {
    const heading = /^#+ (.*)$/.exec(line)
    const item = /^\s*(?:[-*]|\d+\.) (.*)$/.exec(line)
    const picture = /^\s*!\[(.*?)\]\(.*\)\s*$/.exec(line)
    if (line.trim() === '' || heading !== null || item !== null || picture !== null || line.startsWith('|')) close()
    if (line.trim() === '' || /^\|[\s|:-]+\|$/.test(line)) continue
    if (heading !== null) label(index + 1, heading[1]!)
    else if (picture !== null) label(index + 1, picture[1]!)
    else if (line.startsWith('|')) for (const cell of cellsOf(line)) label(index + 1, cell)
    else {
      const text = (item?.[1] ?? line).replace(/^\s*>?\s*/, '')
      if (open === undefined) open = { line: index + 1, lines: [text] }
      else open.lines.push(text)
    }
  }
  close()
  return blocks
}

/** Same lines, but those of code and comments are blank. */
function withoutCode(markdown: string): string[] {
  const blank = (text: string): string => text.replace(/[^\n]/g, '')
  return markdown
    .replace(/^([ \t]*)```[^\n]*\n.*?^\1```[ \t]*$/gms, blank)
    .replace(/<!--.*?-->/gs, blank)
    .split('\n')
}

/** A bar in code does not end a cell. */
function cellsOf(row: string): string[] {
  return row
    .replace(/`[^`]*`|\\\|/g, (code) => code.replaceAll('|', ' '))
    .split('|')
    .slice(1, -1)
}

function plain(text: string): string {
  return (
    text
      // With a capital letter, or the segmenter finds no sentence that begins with code.
      .replace(/`+[^`]+`+/g, (code) => `Code${'\n'.repeat(code.split('\n').length - 1)}`)
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/<[^>\n]+>/g, '')
      .replace(/\*\*|(?<=^|[\s(])[*_](?=\S)|(?<=\S)[*_](?=$|[\s).,:;])/g, '')
  )
}

function sentencesOf({ line, text }: { readonly line: number; readonly text: string }): readonly Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  let pending = ''
  // A line end is the end of a sentence to the segmenter.
  for (const { segment, index } of SEGMENTER.segment(text.replaceAll('\n', ' '))) {
    if (pending === '') start = index
    pending += segment
    if (ABBREVIATION.test(pending)) continue
    sentences.push({ line: line + text.slice(0, start).split('\n').length - 1, text: pending.trim() })
    pending = ''
  }
  if (pending.trim() !== '')
    sentences.push({ line: line + text.slice(0, start).split('\n').length - 1, text: pending.trim() })
  return sentences.filter(({ text: sentence }) => wordsIn(sentence) > 0)
}

function wordsIn(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

/**
 * Finds sentences that are too long and phrases that confuse readers.
 *
 * @param name of the page, command or module, which each finding begins with
 * @param texts plain text, such as messages and help texts, or blocks of a page
 * @returns one line for each finding: place, phrase, what to say instead, sentence
 */
export function checkSentences(
  name: string,
  texts: readonly (string | { readonly line: number; readonly text: string })[],
  { wordsMax }: Limits,
): readonly string[] {
  return texts
    .flatMap((text) => sentencesOf(typeof text === 'string' ? { line: 1, text } : text))
    .flatMap(({ line, text }) => {
      const place = `${name}:${line}`
      const findings = PHRASES.flatMap(([pattern, instead]) => {
        const match = pattern.exec(text)
        return match === null ? [] : [`${place}: "${match[0]}", say ${instead}: ${text}`]
      })
      const words = wordsIn(text)
      return words > wordsMax ? [...findings, `${place}: ${words} words, at most ${wordsMax}: ${text}`] : findings
    })
}

/** Of paragraphs and list items: labels are short, and would hide long sentences. */
export function averageOf(blocks: readonly ProseBlock[]): Average {
  const words = blocks
    .filter(({ kind }) => kind === 'sentences')
    .flatMap((block) => sentencesOf(block))
    .map(({ text }) => wordsIn(text))
  const sum = words.reduce((total, count) => total + count, 0)
  return { sentences: words.length, wordsPerSentence: words.length === 0 ? 0 : sum / words.length }
}
