// A job of one's own: of each open order its lines, each an item of another table. headrace run examples/jobs/orderLines.ts
import { defineJob, type PlainItem } from 'headrace'

interface Line {
  readonly article: string
  readonly pieces: number
}

export default defineJob({
  source: { table: 'orders', filter: "status = 'open'" },
  transform: ({ id, lines }) =>
    (lines as readonly Line[]).map((line, index): PlainItem => ({ order: id, line: index + 1, ...line })),
  sink: { table: 'order-lines' },
})
