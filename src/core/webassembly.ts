/**
 * Loops over bytes that are written in WebAssembly (decision 23). The only file that knows of it.
 *
 * They see nothing but memory of their own, so bytes are copied there first. At its start stays a table of theirs.
 */

/** Of WebAssembly, what is used here; the types of Node do not have it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: unknown }
}

interface WithMemory {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
}

const pageSize = 64 * 1_024

export class Loops<Exports> {
  /** What the module exports beside its memory. */
  readonly run: Exports
  /** Where bytes may lie: behind the table. */
  readonly base: number
  readonly #own: WithMemory['memory']
  #memory: Buffer

  /** @param wasm A module in base64, as `npm run wasm` writes it, that exports its memory. */
  constructor(wasm: string, table: Buffer) {
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(Buffer.from(wasm, 'base64')),
    )
    this.run = exports as Exports
    this.#own = (exports as WithMemory).memory
    this.#memory = Buffer.from(this.#own.buffer)
    this.base = table.length
    this.#memory.set(table)
  }

  /** Makes the memory large enough for so many bytes behind the table. */
  need(length: number): void {
    const missing = this.base + length - this.#memory.length
    if (missing <= 0) return
    this.#own.grow(Math.ceil(missing / pageSize))
    this.#memory = Buffer.from(this.#own.buffer)
  }

  /** @returns Where it ends. */
  lay(bytes: Buffer, at: number): number {
    this.#memory.set(bytes, at)
    return at + bytes.length
  }

  copyOf(from: number, to: number): Buffer {
    return Buffer.from(this.#memory.subarray(from, to))
  }
}
