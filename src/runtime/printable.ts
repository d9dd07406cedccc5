/** What moves the cursor, rings, hides or reorders text: C0 but tab and line feed, DEL, C1, zero-width and bidirectional controls. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu
/** With the colours that Headrace itself sets, which stay. */
const COLOR_OR_UNSAFE = new RegExp(`\u001b\\[\\d{1,2}m|${UNSAFE.source}`, 'gu')

/**
 * A text that a terminal shows and does not obey: control characters become `\u001b` and the like. Names, expressions and
 * messages come from users, their modules and their data.
 *
 * @param keepsColors where Headrace has coloured it
 */
export function printable(text: string, keepsColors = false): string {
  return text.replace(keepsColors ? COLOR_OR_UNSAFE : UNSAFE, (found) => {
    if (found.endsWith('m')) return found
    let escaped = ''
    for (let at = 0; at < found.length; at += 1) escaped += `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`
    return escaped
  })
}
