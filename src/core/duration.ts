/** Lengths of time and sizes as people write them in the config file: "90s", "4m30s", "25MB". */
import { z } from 'zod'
import type { Ms } from './clock.ts'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const durationForm = /^(?:\d+(?:ms|s|m|h|d))+$/
const unitBytes = { B: 1, KB: 1_000, MB: 1_000_000, GB: 1_000_000_000 } as const
const sizeForm = /^\d+(?:B|KB|MB|GB)$/

/** A duration setting: text in the file, milliseconds inside. */
export function duration(byDefault: string) {
  return durationText().prefault(byDefault)
}

/** A setting of two lengths of time, the shorter one first. */
export function durationRange(shortest: string, longest: string) {
  return z
    .tuple([durationText(), durationText()])
    .refine(([from, to]) => from <= to, 'expected the shorter length of time first')
    .prefault([shortest, longest])
    .transform(([shortestMs, longestMs]) => ({ shortestMs, longestMs }))
}

function durationText() {
  return z
    .string()
    .regex(durationForm, 'expected a length of time such as "90s", "4m30s" or "500ms"')
    .transform(parseDuration)
}

/** A size setting: text in the file, bytes inside. */
export function size(byDefault: string) {
  return z
    .string()
    .regex(sizeForm, 'expected a size such as "25MB", "64KB" or "1000B"')
    .default(byDefault)
    .transform(parseSize)
}

/** Milliseconds of a text that `duration` has accepted. */
export function parseDuration(text: string): Ms {
  return sumOf(text, unitMs)
}

function parseSize(text: string): number {
  return sumOf(text, unitBytes)
}

function sumOf(text: string, units: Readonly<Record<string, number>>): number {
  let sum = 0
  for (const [, count = '0', unit = ''] of text.matchAll(/(\d+)([a-zA-Z]+)/g)) {
    sum += Number(count) * (units[unit] ?? 0)
  }
  return sum
}
