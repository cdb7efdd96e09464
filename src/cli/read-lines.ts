/**
 * The lines of a file, a compressed file or the standard input, a handful at a time, so that a log
 * of any size takes a few hundred kilobytes of memory.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { stdin } from 'node:process'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { messageOf } from '../core/errors.ts'

/** A file that cannot be read, or is not what it should be; the message says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** A longer line is no line of a log: its end is dropped. */
const lineMax = 65_536

/**
 * @param path A file, plain or compressed with gzip; "-" for the standard input.
 * @throws InputError when there is no such file, or it breaks off inside.
 */
export async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  try {
    yield* split(path === '-' ? stdin : await streamOf(path))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(whyUnreadable(path, error))
  }
}

async function streamOf(path: string): Promise<Readable> {
  const compressed = await isCompressed(path)
  const stream = createReadStream(path)
  if (!compressed) return stream
  const plain = createGunzip()
  stream.on('error', (error) => plain.destroy(error))
  return stream.pipe(plain)
}

/** Told by its first two bytes, whatever it is called (RFC 1952 section 2.3.1). */
async function isCompressed(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b
  } finally {
    await file.close()
  }
}

/** Bytes that are no UTF-8 become U+FFFD: what a log says of a client must not stop us. */
async function* split(stream: AsyncIterable<Buffer | string>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = (lines.pop() ?? '').slice(0, lineMax)
    if (lines.length > 0) yield lines.map(trimmed)
  }
  rest += decoder.decode()
  if (rest !== '') yield [trimmed(rest)]
}

function trimmed(line: string): string {
  const cut = line.length > lineMax ? line.slice(0, lineMax) : line
  return cut.endsWith('\r') ? cut.slice(0, -1) : cut
}

function whyUnreadable(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code === 'ENOENT') return `${path}: no such file; expected a TSV file or a mail log, or "-"`
  if (code === 'EISDIR') return `${path}: is a folder; name the files in it`
  if (code === 'EACCES') return `${path}: may not be read by us; change its permissions or use sudo`
  if (typeof code === 'string' && /^Z_/.test(code))
    return `${path}: is damaged as a gzip file (${messageOf(error)}); fetch or pack it again`
  return `${path}: ${messageOf(error)}`
}
