/**
 * Something in an item that DynamoDB would not take. `path` names the attribute, outermost first; the message reads on
 * from it ("tags[2]: an empty set can not be stored").
 */
export class ItemError extends Error {
  override readonly name = 'ItemError'
  readonly path: string

  constructor(message: string, path = '') {
    super(path === '' ? message : `${path}: ${message}`)
    this.path = path
  }
}
