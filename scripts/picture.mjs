// Draws what a command printed as a terminal, an SVG without fonts or scripts of its own:
//   npm run --silent demo | sed "/^Adding/,/^cores/d" | node scripts/picture.mjs "npm run demo" > docs/images/demo.svg
import { readFileSync } from 'node:fs'

const lines = [`$ ${process.argv[2] ?? ''}`, ...readFileSync(0, 'utf8').trimEnd().split('\n')]
const width = Math.max(...lines.map((line) => line.length)) * 7.83 + 40
const height = lines.length * 18 + 56
const escaped = (text) => text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`)
const rows = lines.map((line, index) => {
  const color = index === 0 ? '#7ee787' : /^Verified/.test(line) || /Headrace, one/.test(line) ? '#f2cc60' : '#d6deeb'
  return `<text x="20" y="${54 + index * 18}" fill="${color}" xml:space="preserve">${escaped(line)}</text>`
})
console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${height}" role="img">
<title>${escaped(lines[0])}</title>
<rect width="100%" height="100%" rx="10" fill="#10161f"/>
${['#ff5f57', '#febc2e', '#28c840'].map((color, index) => `<circle cx="${22 + index * 20}" cy="20" r="6" fill="${color}"/>`).join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
${rows.join('\n')}
</g>
</svg>`)
