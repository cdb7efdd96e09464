/** Everything that is done to the three processes, and where duplicates cannot be avoided (RFC 1047). */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalAll } from '../mta/servers/session.ts'
import type { Link, Links } from './links.ts'
import type { Step, World } from './world.ts'

export interface Fault {
  readonly name: string
  readonly step: Step
  /**
   * Whether the back end stores messages of which Treacle never hears so: then nobody knows, and the
   * client must send them again.
   */
  readonly lost250: boolean
  /** Settings that belong to it. */
  readonly config?: string
  readonly nodeArgs?: readonly string[]
  /** A small disk for the state. */
  readonly smallDisk?: boolean
  /** Done each time the back end waits at the step; it goes on afterwards, if it still lives. */
  strike?(world: World, links: Links | null): Promise<void>
}

const steps: readonly Step[] = [
  ...(['banner', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'body', 'dot', 'stored', 'answered'] as const),
]

const words: Readonly<Record<Step, string>> = {
  banner: 'before its banner',
  EHLO: 'at EHLO',
  MAIL: 'at MAIL',
  RCPT: 'at RCPT',
  DATA: 'at DATA',
  body: 'in the middle of the content',
  dot: 'after the dot, before it is stored',
  stored: 'after it is stored, before the 250',
  answered: 'after the 250',
}

const backendKilled = steps.map(
  (step): Fault => ({
    name: `kill -9 the back end ${words[step]}`,
    step,
    lost250: step === 'stored',
    async strike(world) {
      await world.killBackend()
      await world.startBackend()
    },
  }),
)

const treacleKilled = steps.map(
  (step): Fault => ({
    name: `kill -9 Treacle ${words[step]}`,
    step,
    // The back end has the whole message and goes on without us.
    lost250: step === 'dot' || step === 'stored',
    async strike(world) {
      await world.killTreacle()
      await world.startTreacle()
    },
  }),
)

const backendStalled = (['banner', 'RCPT', 'body', 'stored'] as const).map(
  (step): Fault => ({
    name: `the back end stalls for 5 s ${words[step]}`,
    step,
    // When the rest fits into what the kernel buffers, it has the whole message once it goes on.
    lost250: step === 'body' || step === 'stored',
    strike: () => sleep(5_000),
  }),
)

const clients: readonly Fault[] = [
  {
    name: 'the client stalls for 5 s in the middle of the content',
    step: 'body',
    lost250: false,
    async strike(world) {
      const pids = await world.clientPids()
      signalAll(pids, 'SIGSTOP')
      world.goOn()
      await sleep(5_000)
      signalAll(pids, 'SIGCONT')
    },
  },
  {
    name: `kill -9 the client ${words.body}`,
    step: 'body',
    lost250: false,
    strike: killClient,
  },
  {
    name: `kill -9 the client ${words.stored}`,
    step: 'stored',
    lost250: false,
    strike: killClient,
  },
]

const networkCut = (['front', 'back'] as const).flatMap((link) =>
  (['RCPT', 'body', 'stored'] as const).map(
    (step): Fault => ({
      name: `the network to the ${link === 'front' ? 'client' : 'back end'} is cut for 7 s ${words[step]}`,
      step,
      lost250: link === 'back' && step === 'stored',
      strike: (world, links) => cut(world, links, link),
    }),
  ),
)

const surroundings: readonly Fault[] = [
  {
    name: 'the disk of the state is full',
    step: 'banner',
    lost250: false,
    smallDisk: true,
    async strike(world) {
      const filler = join(world.stateFolder, 'filler')
      // It fails when the disk is full, which is what we want.
      await writeFile(filler, Buffer.alloc(10_000_000)).catch(() => {})
    },
  },
  { name: 'all DNS answers SERVFAIL', step: 'banner', lost250: false, config: 'dns SERVFAIL' },
  { name: 'no DNS server answers', step: 'banner', lost250: false, config: 'dns silent' },
  {
    name: 'the time of day jumps by hours, back and forth',
    step: 'banner',
    lost250: false,
    nodeArgs: ['--import', join(import.meta.dirname, 'jumping-clock.ts')],
  },
  {
    name: 'no file descriptor is left for 2 s',
    step: 'MAIL',
    lost250: false,
    async strike(world) {
      await world.limitFiles(10)
      world.goOn()
      await sleep(2_000)
      await world.limitFiles(20_000)
    },
  },
]

/** All of them. Those that need links of their own come only where there are some. */
export function faultsFor(hasLinks: boolean): readonly Fault[] {
  return [
    ...backendKilled,
    ...treacleKilled,
    ...backendStalled,
    ...clients,
    ...(hasLinks ? networkCut : []),
    ...surroundings,
  ]
}

async function killClient(world: World): Promise<void> {
  signalAll(await world.clientPids(), 'SIGKILL')
  // Treacle is to see it before the back end goes on.
  await sleep(300)
}

async function cut(world: World, links: Links | null, link: Link): Promise<void> {
  if (links === null) throw new Error('no link to cut')
  await links.set(link, 'down')
  world.goOn()
  await sleep(7_000)
  await links.set(link, 'up')
}

/** Frees what a fault has taken. */
export async function mend(world: World): Promise<void> {
  await rm(join(world.stateFolder, 'filler'), { force: true })
}
