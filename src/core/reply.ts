/** What one side of an SMTP dialogue answers. */

/** RFC 5321 section 4.2, RFC 3463. `lines` are without code, `enhanced` is "" where there is none. */
export interface Reply {
  readonly code: number
  readonly enhanced: string
  readonly lines: readonly [string, ...string[]]
}

/** A reply of our own. */
export function reply(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, lines: [text] }
}

/** True for 2yz: done as asked. */
export function isPositive({ code }: Reply): boolean {
  return code >= 200 && code < 300
}

/** 3yz: go on, which means something only where it was asked for (RFC 5321 section 4.2.1). */
export function isHalf({ code }: Reply): boolean {
  return code >= 300 && code < 400
}

/** One line, as logs show it: "550 5.1.1 no such user". */
export function replyText({ code, enhanced, lines }: Reply): string {
  const text = lines.join(' / ')
  return `${code}${enhanced === '' ? '' : ` ${enhanced}`}${text === '' ? '' : ` ${text}`}`
}

/**
 * A reply as it goes over the wire, each line with the enhanced code in front (RFC 2034 section 4).
 *
 * Control characters never get through: a line break inside a text would make two replies of one.
 */
export function wireForm({ code, enhanced, lines }: Reply): string {
  const mark = enhanced === '' ? '' : `${enhanced} `
  const last = lines.length - 1
  let wire = ''
  for (const [index, line] of lines.entries()) {
    wire += `${code}${index < last ? '-' : ' '}${`${mark}${line}`.replace(controls, ' ')}\r\n`
  }
  return wire
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being removed
const controls = /[\x00-\x1f\x7f]/g
