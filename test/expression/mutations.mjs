// Breaks parser, compiler and evaluator of filters on purpose, one way at a time, and shows that generated filters find each.
// npm run expression-mutations [-- WORD]   those whose name contains the word
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { runMutations } from '../support/mutations.mjs'

const SEEDS = 5_000

const mutations = [
  {
    name: 'NOT of a missing attribute does not hold',
    file: 'expression/evaluate.js',
    from: 'return (item) => !part(item);',
    to: "return (item) => !part(item) && !('operands' in condition.part || ('left' in condition.part && getterOf(condition.part.left)(item) === undefined));",
  },
  {
    name: 'a missing attribute is not unequal',
    file: 'expression/evaluate.js',
    from: "const otherwise = condition.operator === '<>';",
    to: 'const otherwise = false;',
  },
  {
    name: 'numbers are compared as doubles',
    file: 'item/number.js',
    from: 'if (isShort(left) && isShort(right))',
    to: 'if (true)',
  },
  {
    name: 'numbers below zero are ordered by their size',
    file: 'item/number.js',
    from: 'return one.negative ? -size : size;',
    to: 'return size;',
  },
  {
    name: 'equal numbers are told by their text',
    file: 'expression/compareValues.js',
    from: 'return one === other || canonicalNumber(one) === canonicalNumber(other);',
    to: 'return one === other;',
  },
  {
    name: 'strings are ordered by UTF-16',
    file: 'expression/compareValues.js',
    from: 'if (one === other)\n            continue;',
    to: 'if (one === other)\n            continue;\n        return one - other;',
  },
  {
    name: 'binary is ordered by its base64',
    file: 'expression/compareValues.js',
    from: 'return Buffer.compare(bytesOf(one), bytesOf(other));',
    to: 'return one < other ? -1 : one > other ? 1 : 0;',
  },
  {
    name: 'sets are equal only in one order',
    file: 'expression/compareValues.js',
    from: 'return other.every((element) => known.has(canonical(element)));',
    to: 'return other.every((element, index) => canonical(element) === canonical(one[index]));',
  },
  {
    name: 'a map equals one that has more',
    file: 'expression/compareValues.js',
    from: 'if (names.length !== Object.keys(other).length)',
    to: 'if (false)',
  },
  {
    name: 'BETWEEN leaves out its upper bound',
    file: 'expression/evaluate.js',
    from: "COMPARISONS['<='](value, to)",
    to: "COMPARISONS['<'](value, to)",
  },
  {
    name: 'begins_with holds for a value of another type',
    file: 'expression/evaluate.js',
    from: 'if (type !== typeOf(start))\n        return false;',
    to: "if (type !== typeOf(start))\n        return start['S'] === '';",
  },
  {
    name: 'contains finds a part of an element of a set',
    file: 'expression/evaluate.js',
    from: 'return value[type].some((element) => isEqualValue({ [partType]: element }, part));',
    to: 'return value[type].some((element) => element.includes(part[partType]));',
  },
  {
    name: 'contains does not look into lists',
    file: 'expression/evaluate.js',
    from: "if (type === 'L')\n        return value['L'].some",
    to: "if (type === 'L')\n        return false && value['L'].some",
  },
  {
    name: 'the size of binary is that of its base64',
    file: 'expression/evaluate.js',
    from: "return bytesOf(value['B']).length;",
    to: "return value['B'].length;",
  },
  {
    name: 'the size of a string counts its bytes',
    file: 'expression/evaluate.js',
    from: "return value['S'].length;",
    to: "return Buffer.byteLength(value['S']);",
  },
  {
    name: 'a number has a size',
    file: 'expression/evaluate.js',
    from: 'default:\n            return undefined;\n    }\n}\n/** The value at a path',
    to: 'default:\n            return 1;\n    }\n}\n/** The value at a path',
  },
  {
    name: 'IN looks at its first value only',
    file: 'expression/evaluate.js',
    from: 'return choices.some(',
    to: 'return choices.slice(0, 1).some(',
  },
  {
    name: 'AND binds no tighter than OR',
    file: 'expression/parse.js',
    from: "while (this.#takeKeyword('AND'))\n            parts.push(this.#single());",
    to: "while (this.#takeKeyword('AND'))\n            parts.push(this.#either());",
  },
  {
    name: 'NOT reaches to the end',
    file: 'expression/parse.js',
    from: "return { kind: 'not', part: this.#single() };",
    to: "return { kind: 'not', part: this.#either() };",
  },
  {
    name: 'constants are known in small letters only',
    file: 'expression/parse.js',
    from: 'CONSTANTS.get(text.toUpperCase())',
    to: 'CONSTANTS.get(text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase())',
  },
  {
    name: 'a point in a quoted name leads into a map',
    file: 'expression/parse.js',
    from: 'steps.push(this.#name());',
    to: "steps.push(...this.#name().split('.'));",
  },
  {
    name: 'parentheses are left out for the service',
    file: 'expression/compileForService.js',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compiled code
    from: 'return rank < outer ? `(${text})` : text;',
    to: 'return text;',
  },
]

function judge(_, mutants) {
  const script = join(mutants, 'test/expression/expressions.js')
  const { stdout, stderr, signal } = spawnSync(process.execPath, [script, '--seeds', `${SEEDS}`, '--stop'], {
    encoding: 'utf8',
    timeout: 240_000,
  })
  if (signal !== null) throw new Error(`the run was ended by ${signal}`)
  if (!/ differences$/m.test(stdout)) throw new Error(`the run came to nothing: ${stderr.slice(-500)}`)
  return /^seed \d+: .*/m.exec(stdout)?.[0]
}

runMutations({ name: 'expression', mutations, folders: ['expression', 'support'], judge })
