import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainColors, svgToPng } from '../../src/report/svgToPng.ts'

const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30">
<style>svg { --ink: #010203; --paper: #ffffff } @media (prefers-color-scheme: dark) { svg { --ink: #aabbcc } }
svg .word { font: 12px sans-serif; fill: var(--ink) }</style>
<rect width="100%" height="100%" fill="var(--paper)"/><text class="word" x="4" y="20">units</text></svg>`

test('a picture is drawn in its light colours, twice as large', async () => {
  assert.match(plainColors(PICTURE), /fill: #010203 }<\/style>\n<rect width="100%" height="100%" fill="#ffffff"/)
  const png = Buffer.from(await svgToPng(PICTURE))
  assert.equal(png.subarray(1, 4).toString(), 'PNG')
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [120, 60])
  const without = Buffer.from(await svgToPng(PICTURE.replace('units', '')))
  assert.ok(
    png.length > without.length + 100,
    `its words are in it: ${png.length} bytes, and ${without.length} without`,
  )
})

test('a machine without any font is told so, and gets no picture without words', async () => {
  await assert.rejects(svgToPng(PICTURE, { systemFonts: false }), {
    code: 'CONFIGURATION',
    message: /no font.*fonts-dejavu-core.*\.svg/,
  })
})
