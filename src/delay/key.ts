/** The key that gives each network its own delay: drawn once, kept in a file. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../core/errors.ts'

const keyBytes = 32

/**
 * Reads the key, or draws one and keeps it.
 *
 * @param report Hears why the key could not be kept; it is then good for this run only.
 */
export function delayKey(file: string, report: (why: string) => void): Buffer {
  const kept = keptKey(file)
  if (kept !== null) return kept
  const drawn = randomBytes(keyBytes)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 })
    writeFileSync(file, `${drawn.toString('hex')}\n`, { mode: 0o600 })
  } catch (error) {
    report(
      `the delay key cannot be kept in ${file}, so delays change with a restart: ${messageOf(error)}`,
    )
  }
  return drawn
}

/** The key in the file; null when there is none. */
export function keptKey(file: string): Buffer | null {
  try {
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
    return key.length === keyBytes ? key : null
  } catch {
    // No key yet; one is drawn.
    return null
  }
}
