/**
 * Patterns that operators write, run in linear time on what strangers send. The only file that knows
 * re2js.
 *
 * A backtracking engine takes exponential time for some patterns on some texts, and strangers choose
 * the text. RE2 has no back references and no look-around; a pattern with one does not compile.
 */
import { RE2JS } from 're2js'
import { z } from 'zod'
import { messageOf } from './errors.ts'

export interface Pattern {
  readonly source: string
  /** True when it is found anywhere in the text, in any case. */
  found(text: string): boolean
}

/** @throws Error that says what is wrong with it. */
export function parsePattern(source: string): Pattern {
  try {
    const compiled = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE)
    return { source, found: (text) => compiled.matcher(text).find() }
  } catch (error) {
    throw new Error(`the pattern ${JSON.stringify(source)} does not compile: ${messageOf(error)}`)
  }
}

/** A setting: a pattern that compiles. */
export function patternText() {
  return z
    .string()
    .superRefine((text, context) => {
      try {
        parsePattern(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) })
      }
    })
    .meta({ expects: 'a pattern in the syntax of RE2' })
}
