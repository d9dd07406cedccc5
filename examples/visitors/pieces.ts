// A visitor module: adds to each order how many pieces it has in all.
import type { Edit, PlainItem } from 'headrace'

export default function piecesOfOrder(order: PlainItem): Edit {
  const lines = order['lines'] as { pieces: number }[]
  return { set: { pieces: lines.reduce((sum, line) => sum + line.pieces, 0) } }
}
