/** `1 item`, `1,234 items`: a number with its noun. @param nouns other than the noun with an s */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : nouns}`
}
