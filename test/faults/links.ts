/**
 * A network namespace for Treacle, with one link to its clients and one to its back end, so that either
 * can be cut. Addresses are from 198.18.0.0/15, which is for tests (RFC 2544).
 */
import { requireCommand } from '../mta/servers/installed.ts'
import { run } from '../mta/servers/process.ts'

export type Link = 'front' | 'back'

export interface Place {
  /** What to write before a command so that it runs where Treacle is. */
  readonly prefix: readonly string[]
  /** Where clients reach it. */
  readonly front: string
  /** Where it reaches its back end. */
  readonly back: string
}

/** Everything on loopback; nothing can be cut. */
export const loopback: Place = { prefix: [], front: '127.0.0.1', back: '127.0.0.1' }

export class Links implements AsyncDisposable {
  readonly place: Place
  readonly #name: string

  private constructor(name: string, place: Place) {
    this.#name = name
    this.place = place
  }

  /** @param index Which one of this process, up to 9. */
  static async make(index: number): Promise<Links> {
    const number = ((process.pid % 25) * 10 + index) % 250
    const name = `tf${process.pid}-${index}`
    const prefix = [requireCommand('ip'), 'netns', 'exec', name]
    const place = { prefix, front: `198.18.${number}.2`, back: `198.18.${number}.5` }
    const links = new Links(name, place)
    await ip('netns', 'add', name)
    await ip('-n', name, 'link', 'set', 'lo', 'up')
    await links.#connect('front', `198.18.${number}.1/30`, `198.18.${number}.2/30`)
    await links.#connect('back', `198.18.${number}.5/30`, `198.18.${number}.6/30`)
    return links
  }

  #outer(link: Link): string {
    return `${this.#name}${link[0]}`
  }

  async #connect(link: Link, outside: string, inside: string): Promise<void> {
    const outer = this.#outer(link)
    await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', link, 'netns', this.#name)
    await ip('addr', 'add', outside, 'dev', outer)
    await ip('link', 'set', outer, 'up')
    await ip('-n', this.#name, 'addr', 'add', inside, 'dev', link)
    await ip('-n', this.#name, 'link', 'set', link, 'up')
  }

  async set(link: Link, state: 'up' | 'down'): Promise<void> {
    await ip('link', 'set', this.#outer(link), state)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip('netns', 'delete', this.#name)
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  const { code, output } = await run(requireCommand('ip'), args, { timeoutMs: 10_000 })
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${output}`)
}
