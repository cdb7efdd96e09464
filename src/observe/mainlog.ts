/**
 * The lines that Alan Flavell's recipe left in Exim's main log, in Exim's own form, so that tools
 * that read those read ours.
 *
 * As in Exim, "delay was" tells the delay that was planned; what the client did wait is in the
 * ledger. D= is the time since the connection was accepted.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Clock } from '../core/clock.ts'
import { visible } from '../core/text.ts'
import type { Delayed, EventFields, EventName, Left } from './events.ts'

export class MainLog {
  readonly #file: string
  readonly #clock: Clock
  readonly #onError: (error: Error) => void
  #stream: WriteStream

  constructor(file: string, clock: Clock, onError: (error: Error) => void) {
    this.#file = file
    this.#clock = clock
    this.#onError = onError
    this.#stream = this.#open()
  }

  /** Hears every event and writes the two that are lines of a main log. */
  readonly hear = <Name extends EventName>(name: Name, fields: EventFields[Name]): void => {
    if (name === 'recipient.delayed' && 'plannedMs' in fields) this.#write(delayedLine(fields))
    if (name === 'recipient.left' && 'connectedMs' in fields) this.#write(leftLine(fields))
  }

  /** Opens the file again, after something else has moved it away. */
  reopen(): void {
    this.#stream.end()
    this.#stream = this.#open()
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve))
  }

  #open(): WriteStream {
    return createWriteStream(this.#file, { flags: 'a', mode: 0o640 }).on('error', this.#onError)
  }

  #write(line: string): void {
    this.#stream.write(`${timestamp(this.#clock.wall())} ${line}\n`)
  }
}

export function delayedLine(event: Delayed): string {
  const seconds = Math.round(event.plannedMs / 1_000)
  return visible(
    `H=${host(event)} Warning: Treacle: ${event.client} (${event.hostname}) - ` +
      `reason: ${event.reasons.join(' ')} - sender is ${event.sender} - for ${event.recipient} - ` +
      `delay was ${seconds} secs`,
    2_000,
  )
}

export function leftLine(event: Left): string {
  const seconds = (event.connectedMs / 1_000).toFixed(3)
  return visible(
    `unexpected disconnection while reading SMTP command from ${host(event)} D=${seconds}s`,
    2_000,
  )
}

/** Exim's way to name a client: verified name, then what it calls itself, then its address. */
function host({ hostname, helo, client }: Delayed | Left): string {
  const name = hostname === '' ? '' : `${hostname} `
  const claimed = helo === '' || helo.toLowerCase() === hostname ? '' : `(${helo}) `
  return `${name}${claimed}[${client}]`
}

/** Exim's time stamp: local time, to the second. */
function timestamp(at: Date): string {
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
