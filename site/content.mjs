// Makes the site's pages from docs/ and the pages beside README.md, and their sidebar. The files stay as GitHub shows
// them: links that leave docs/ are rewritten here, and the site gets copies of the source files that pages link to.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const CONTENT = join(ROOT, 'site', '.content')

/** Pages whose place on the site is another one than in docs/. */
const PLACES = new Map([
  ['README.md', 'index.md'],
  ['docs/README.md', 'contents.md'],
  ['CHANGELOG.md', 'project/changelog.md'],
  ['CONTRIBUTING.md', 'project/contributing.md'],
  ['ARCHITECTURE.md', 'project/architecture.md'],
  ['SECURITY.md', 'project/security.md'],
])
const GROUPS = ['tutorials', 'guides', 'reference', 'explanation', 'project']

/**
 * Writes all pages and files of the site to `site/.content`. A file that has not changed is not written again, so that a
 * server reloads only what has.
 *
 * @throws Error if a page links to a file that is not there
 */
export function writeContent() {
  const expected = new Set()
  const write = (path, bytes) => {
    const target = join(CONTENT, path)
    expected.add(path)
    if (existsSync(target) && readFileSync(target).equals(bytes)) return
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes)
  }
  for (const source of sources()) {
    if (!source.endsWith('.md')) {
      write(pathOnSite(source), readFileSync(join(ROOT, source)))
      continue
    }
    const { text, files } = withSiteLinks(source)
    write(pathOnSite(source), Buffer.from(text))
    for (const file of files) write(join('public', copyOf(file)), readFileSync(join(ROOT, file)))
  }
  for (const path of filesBelow(CONTENT)) if (!expected.has(path)) rmSync(join(CONTENT, path))
}

/** Groups are folders, titles are first headings, and pages stand in the order in which docs/README.md links to them. */
export function sidebar() {
  const pages = sources()
    .filter((source) => source.endsWith('.md'))
    .map((source) => ({ path: pathOnSite(source), title: titleOf(source) }))
  const order = linksOfIndex()
  const rank = ({ path }) => (order.has(path) ? order.get(path) : order.size)
  const entry = ({ path, title }) => ({ text: title, link: `/${path.replace(/(?:index)?\.md$/, '')}` })
  const groups = GROUPS.map((group) => ({
    text: group[0].toUpperCase() + group.slice(1),
    collapsed: false,
    items: pages
      .filter(({ path }) => path.startsWith(`${group}/`))
      .sort((left, right) => rank(left) - rank(right) || (left.path < right.path ? -1 : 1))
      .map(entry),
  })).filter(({ items }) => items.length > 0)
  return [...pages.filter(({ path }) => !path.includes('/')).map(entry), ...groups]
}

function sources() {
  const docs = filesBelow(join(ROOT, 'docs')).map((path) => `docs/${path}`)
  return [...new Set([...PLACES.keys(), ...docs])].filter((source) => existsSync(join(ROOT, source)))
}

function pathOnSite(source) {
  return PLACES.get(source) ?? source.replace(/^docs\//, '')
}

/** Browsers show a text file, and would download a .ts or .py file. */
function copyOf(file) {
  return `files/${file}.txt`
}

function titleOf(source) {
  const heading = /^# (.+)$/m.exec(readFileSync(join(ROOT, source), 'utf8'))
  if (heading === null) throw new Error(`${source}: a page needs a first heading, which is its title in the sidebar`)
  return heading[1].replaceAll('`', '')
}

/** Paths on the site, in order. */
function linksOfIndex() {
  const index = join(ROOT, 'docs', 'README.md')
  const order = new Map()
  if (!existsSync(index)) return order
  for (const [, link] of readFileSync(index, 'utf8').matchAll(/\]\(([^)\s#]+\.md)[^)\s]*\)/g)) {
    const path = pathOnSite(posix.join('docs', link))
    if (!order.has(path)) order.set(path, order.size)
  }
  return order
}

function withSiteLinks(source) {
  const files = new Set()
  let inCode = false
  const lines = readFileSync(join(ROOT, source), 'utf8').split('\n')
  const text = lines.map((line, index) => {
    if (/^\s*```/.test(line)) inCode = !inCode
    if (inCode) return line
    return line.replace(/`[^`]*`|\]\(([^)\s]+)\)/g, (match, link) => {
      if (link === undefined || /^(?:[a-z]+:|#)/.test(link)) return match
      const [path, anchor] = link.split('#')
      const target = posix.join(posix.dirname(source), path)
      const hash = anchor === undefined ? '' : `#${anchor}`
      if (target.startsWith('docs/') || PLACES.has(target)) return `](${linkBetween(source, target)}${hash})`
      if (!existsSync(join(ROOT, target)) || !statSync(join(ROOT, target)).isFile())
        throw new Error(`${source}:${index + 1}: the link ${link} leads to no file`)
      files.add(target)
      return `](/${copyOf(target)})`
    })
  })
  return { text: text.join('\n'), files }
}

function linkBetween(source, target) {
  const path = posix.relative(posix.dirname(pathOnSite(source)), pathOnSite(target))
  return path.startsWith('.') ? path : `./${path}`
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    .sort()
}
