/** A timer of a virtual clock. A cleared one has no callback, and is passed over when its time comes. */
export interface VirtualTimer {
  readonly atMs: number
  /** Tells timers of one moment apart: the one set first fires first. */
  order: number
  callback: (() => void) | undefined
}

/** Timers by their time, as a binary heap: the next one is at hand at once. */
export class TimerHeap {
  readonly #heap: VirtualTimer[] = []
  #orders = 0

  push(timer: VirtualTimer): void {
    timer.order = this.#orders++
    const heap = this.#heap
    let index = heap.length
    heap.push(timer)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(heap[parent]!, timer)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  /** Takes the next timer that was not cleared; undefined when there is none. */
  pop(): VirtualTimer | undefined {
    for (;;) {
      const first = this.#popFirst()
      if (first === undefined || first.callback !== undefined) return first
    }
  }

  #popFirst(): VirtualTimer | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (isBefore(last, heap[child]!)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

function isBefore(left: VirtualTimer, right: VirtualTimer): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)
}
