/** The index that a resource of `ThrottlingReasons` is, by its ARN; undefined for a table. */
export function indexOfResource(resource: string): string | undefined {
  return /\/index\/([^/]+)$/.exec(resource)?.[1]
}

/** How a reason is counted and told: with the name of the index, where it is one's. */
export function reasonLabel(reason: string, resource: string): string {
  const index = indexOfResource(resource)
  return index === undefined ? reason : `${reason} (${index})`
}
