/**
 * Dials a back end. The only file that knows nodemailer.
 *
 * nodemailer finds the address, reads the greeting, says EHLO and does STARTTLS with verification.
 * Its `send` wants envelope and message at one go, so from there on the socket, which it documents
 * as public, is ours: exactly its listeners come off, and its `error` listener stays until the new
 * owner has put on his own.
 */
import type { Socket } from 'node:net'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import { type Capabilities, parseCapabilities } from './capabilities.ts'
import type { BackendOptions } from './options.ts'

/** A back end that has answered EHLO and waits for a command. */
export interface Dialled {
  readonly socket: Socket
  readonly capabilities: Capabilities
  readonly secure: boolean
  /** Takes nodemailer's error listener off; to be called once another is on. */
  readonly release: () => void
}

/** No address could be reached, or the one that answered did not want to talk. */
export class DialError extends Error {
  override readonly name = 'DialError'
}

/** nodemailer's own listeners by event, each kept in a field of the connection. */
export const nodemailerListeners = {
  data: '_onSocketData',
  timeout: '_onSocketTimeout',
  close: '_onSocketClose',
  end: '_onSocketEnd',
} as const
export const nodemailerErrorListener = '_onSocketError'
/** Where it keeps the lines of the EHLO reply after the first; not there after HELO. */
export const nodemailerEhloLines = '_ehloLines'

/**
 * @param address "host:port" or "[IPv6]:port".
 * @param name Who we say we are.
 * @throws DialError when the back end cannot be reached or turns us away; `signal.reason` on abort.
 */
export async function dial(
  address: string,
  name: string,
  options: BackendOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Dialled> {
  signal.throwIfAborted()
  const connection = new SMTPConnection({
    ...parseAddress(address),
    name,
    secure: false,
    ignoreTLS: options.tls === 'off',
    requireTLS: options.tls === 'require',
    opportunisticTLS: options.tls === 'opportunistic',
    tls: { rejectUnauthorized: options.tls === 'require' },
    connectionTimeout: options.connect_timeout,
    greetingTimeout: options.connect_timeout,
    dnsTimeout: options.connect_timeout,
    allowInternalNetworkInterfaces: true,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
    logger: false,
  })
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>()
  const settle = () => {
    stopTimer()
    signal.removeEventListener('abort', leave)
  }
  const giveUp = (reason: unknown) => {
    settle()
    connection.close()
    reject(reason)
  }
  const leave = () => giveUp(signal.reason)
  const fail = (why: string) => giveUp(new DialError(`${address}: ${why}`))
  const limitMs = options.connect_timeout
  const stopTimer = clock.after(limitMs, () => fail(`not ready for mail after ${limitMs} ms`))
  signal.addEventListener('abort', leave, { once: true })
  connection.on('error', (error) => fail(error.message))
  connection.connect((error) => {
    if (error) return fail(error.message)
    try {
      resolve(takeOver(connection))
      settle()
    } catch (fault) {
      fail(messageOf(fault))
    }
  })
  return await promise
}

function takeOver(connection: SMTPConnection): Dialled {
  const socket = connection._socket
  if (!socket) throw new DialError('connected without a socket')
  for (const [event, field] of Object.entries(nodemailerListeners)) {
    socket.off(event, listenerIn(connection, field))
  }
  socket.setTimeout(0)
  socket.pause()
  return {
    socket,
    capabilities: parseCapabilities(linesIn(connection, nodemailerEhloLines)),
    secure: connection.secure,
    release: () => socket.off('error', listenerIn(connection, nodemailerErrorListener)),
  }
}

function listenerIn(connection: SMTPConnection, field: string): (...args: unknown[]) => void {
  const listener: unknown = Reflect.get(connection, field)
  if (!isListener(listener)) throw new DialError(`nodemailer has no ${field} any more`)
  return listener
}

function linesIn(connection: SMTPConnection, field: string): string[] {
  const lines: unknown = Reflect.get(connection, field)
  return Array.isArray(lines) ? lines.map(String) : []
}

function isListener(value: unknown): value is (...args: unknown[]) => void {
  return typeof value === 'function'
}

/** Splits "host:port" and "[IPv6]:port". */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(colon + 1)),
  }
}
