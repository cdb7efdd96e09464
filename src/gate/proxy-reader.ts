/** Reads the PROXY header from a socket that has just been accepted, and not a byte more. */
import type { Socket } from 'node:net'
import type { Clock, Ms } from '../core/clock.ts'
import { type BadProxyHeader, type ProxyHeader, parseProxyHeader } from './proxy-header.ts'

export interface ReadOptions {
  /** How long the proxy may take; it is to send the header at once. */
  readonly timeoutMs: Ms
  /** Calls the reading off. */
  readonly signal: AbortSignal
}

export type ProxyHeaderEnd = ProxyHeader | BadProxyHeader | { readonly kind: 'called-off' }

/**
 * Waits for the header. What follows it stays in the socket, for whoever reads on.
 *
 * The socket is not closed here, whatever comes of it. A header that stays away or breaks off is a
 * bad one.
 */
export function readProxyHeader(
  socket: Socket,
  clock: Clock,
  { timeoutMs, signal }: ReadOptions,
): Promise<ProxyHeaderEnd> {
  const { promise, resolve } = Promise.withResolvers<ProxyHeaderEnd>()
  let bytes: Buffer = Buffer.alloc(0)

  const end = (result: ProxyHeaderEnd): void => {
    stopTimer()
    socket.off('readable', onReadable)
    socket.off('end', onGone)
    socket.off('close', onGone)
    signal.removeEventListener('abort', onAbort)
    resolve(result)
  }
  const onReadable = (): void => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const parsed = parseProxyHeader(bytes)
    if (parsed.kind === 'need-more') return
    end(parsed)
    const rest = parsed.kind === 'header' ? bytes.subarray(parsed.length) : bytes
    if (rest.length > 0) socket.unshift(rest)
  }
  const onGone = (): void => end({ kind: 'bad', why: 'closed before its end' })
  const onAbort = (): void => end({ kind: 'called-off' })

  const stopTimer = clock.after(timeoutMs, () => end({ kind: 'bad', why: 'not there in time' }))
  // Not 'data': a socket whose flow was stopped does not start again for the next one who listens.
  socket.on('readable', onReadable)
  socket.on('end', onGone)
  socket.on('close', onGone)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return promise
}
