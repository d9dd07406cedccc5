import type { Filter } from './filter.ts'
import { type Mention, mentionsIn } from './mentions.ts'
import { nearest } from './nearest.ts'
import { type AttributeJson, type ItemJson, pathText, type Step, typeOf } from './tree.ts'

/** Names that are kept for a suggestion. */
const NAMES_MAX = 10_000

const TYPE_WORDS: { readonly [type: string]: string } = {
  S: 'a string',
  N: 'a number',
  B: 'binary',
  BOOL: 'a boolean',
  NULL: 'null',
  M: 'a map',
  L: 'a list',
  SS: 'a string set',
  NS: 'a number set',
  BS: 'a binary set',
}

/** What a filter has to do with the items of a sample. */
export interface SurveyFindings {
  /** Names that stand where a value is usual, and that no item has; a sentence each. */
  readonly unknownNames: readonly string[]
  /** What makes parts of the filter hold never or always; a sentence each. */
  readonly warnings: readonly string[]
}

/** Looks at items, and finds what in a filter fits none of them. */
export class FilterSurvey {
  readonly #filter: Filter
  readonly #mentions: readonly SurveyedPath[]
  /** Attributes whose values are asked for. */
  readonly attributes: ReadonlySet<string>
  sampled = 0
  matched = 0

  constructor(filter: Filter) {
    this.#filter = filter
    this.#mentions = mentionsIn(filter.condition).map((mention) => new SurveyedPath(mention))
    this.attributes = new Set(this.#mentions.map(({ mention }) => mention.path.steps[0]))
  }

  /**
   * @param item with {@link attributes}, as far as it has them, in DynamoDB JSON
   * @param names of all its attributes
   */
  add(item: ItemJson, names: readonly string[]): void {
    this.sampled += 1
    if (this.#filter.matches(item)) this.matched += 1
    for (const mention of this.#mentions) mention.look(item, names)
  }

  /** @param isWhole whether every item there is was looked at */
  findings(isWhole: boolean): SurveyFindings {
    const unknownNames: string[] = []
    const warnings: string[] = []
    if (this.sampled === 0) return { unknownNames, warnings }
    const all = isWhole ? 'item' : 'sampled item'
    for (const surveyed of this.#mentions) {
      if (surveyed.found > 0) {
        const mismatch = surveyed.mismatch(all)
        if (mismatch !== undefined) warnings.push(mismatch)
      } else if (surveyed.mention.role === 'counterpart') {
        unknownNames.push(surveyed.unknownName(all))
      } else {
        const missing = surveyed.missing(all)
        if (missing !== undefined) warnings.push(missing)
      }
    }
    return { unknownNames: [...new Set(unknownNames)], warnings: [...new Set(warnings)] }
  }
}

/** A path, and what it leads to in the items that were looked at. */
class SurveyedPath {
  readonly mention: Mention
  found = 0
  readonly #types = new Set<string>()
  /** How many steps of it some item has, and the names that are there in place of the next. */
  #depth = 0
  #names = new Set<string>()

  constructor(mention: Mention) {
    this.mention = mention
  }

  look(item: ItemJson, names: readonly string[]): void {
    const { steps } = this.mention.path
    let value: AttributeJson | undefined
    for (const [depth, step] of steps.entries()) {
      const container = depth === 0 ? item : containerOf(value!, step)
      if (container === undefined || !Object.hasOwn(container, step)) {
        this.#missedAt(depth, depth === 0 ? names : Object.keys(container ?? {}))
        return
      }
      value = (container as { [step: Step]: AttributeJson })[step]!
    }
    this.found += 1
    this.#types.add(typeOf(value!) ?? '')
  }

  #missedAt(depth: number, names: readonly string[]): void {
    if (this.found > 0 || depth < this.#depth) return
    if (depth > this.#depth) this.#names.clear()
    this.#depth = depth
    if (this.#names.size < NAMES_MAX) for (const name of names) this.#names.add(name)
  }

  /** It stands where a value is usual, and is no attribute of any item. */
  unknownName(all: string): string {
    const text = pathText(this.mention.path.steps)
    const plain = this.#plainText()
    const similar = this.#similar()
    const quoted = `'${plain.replaceAll("'", "''")}'`
    return (
      `no ${all} has an attribute ${text}, which ${this.mention.operator} needs: ` +
      `for a string write ${quoted} in single quotes${similar === undefined ? '' : `; or did you mean the attribute ${similar}?`}`
    )
  }

  /** @returns undefined where that is what the filter may well be about */
  missing(all: string): string | undefined {
    const similar = this.#similar()
    if (this.mention.role === 'existence' && similar === undefined) return undefined
    const hint = similar === undefined ? '' : `; did you mean ${similar}?`
    return `no ${all} has an attribute ${pathText(this.mention.path.steps)}${hint}`
  }

  /** @returns undefined where some value is of a type that can make it hold */
  mismatch(all: string): string | undefined {
    const { types, operator, literal, path } = this.mention
    if (types === undefined || [...this.#types].some((type) => types.has(type))) return undefined
    const is = [...this.#types].map((type) => TYPE_WORDS[type] ?? type).join(' or ')
    const fact = `${pathText(path.steps)} is ${is} in all ${all}s`
    if (operator === 'size') return `${fact}, which has no size`
    if (operator === 'begins_with' || operator === 'contains') return `${fact}, for which ${operator} is never true`
    const asked = [...types].map((type) => TYPE_WORDS[type]).join(' or ')
    return `${fact}, but is compared with ${asked}${this.#otherNotation(literal)}`
  }

  #otherNotation(literal: Mention['literal']): string {
    if (literal === undefined) return ''
    if (literal.type === 'N' && this.#types.has('S')) return `; for a string write '${literal.text}' in single quotes`
    if (literal.type === 'S' && this.#types.has('N') && /^-?\d+(?:\.\d+)?$/.test(literal.text)) {
      return `; for a number write ${literal.text} without quotes`
    }
    const word = literal.text.toLowerCase()
    if (this.#types.has('BOOL') && (word === 'true' || word === 'false')) return `; write ${word} without quotes`
    return ''
  }

  /** As a string would be that lacks its quotes. */
  #plainText(): string {
    const [name, ...rest] = this.mention.path.steps
    return rest.reduce<string>((text, step) => text + (typeof step === 'number' ? `[${step}]` : `.${step}`), name)
  }

  #similar(): string | undefined {
    const { steps } = this.mention.path
    // An attribute whose name has a point in it.
    if (this.#depth === 0 && this.#names.has(this.#plainText())) return `"${this.#plainText()}" in double quotes`
    const step = steps[this.#depth]
    if (typeof step !== 'string') return undefined
    const name = nearest(step, this.#names)
    return name === undefined
      ? undefined
      : pathText([...steps.slice(0, this.#depth), name, ...steps.slice(this.#depth + 1)])
  }
}

function containerOf(value: AttributeJson, step: Step): object | undefined {
  return (typeof step === 'number' ? value['L'] : value['M']) as object | undefined
}
