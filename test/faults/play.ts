/** Plays one fault: sends messages through it, waits until all have gone, and counts what came of it. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireCommand } from '../mta/servers/installed.ts'
import { run } from '../mta/servers/process.ts'
import { type Fault, mend } from './faults.ts'
import { type Links, loopback } from './links.ts'
import { World } from './world.ts'

export interface Plan {
  readonly messages: number
  /** How often the fault strikes. */
  readonly hitsMax: number
  /** Whether messages whose 250 went unheard are remembered. */
  readonly memory: boolean
  readonly timeoutMs: number
}

export interface Result {
  readonly fault: Fault
  readonly memory: boolean
  readonly sent: number
  readonly hits: number
  readonly delivered: number
  readonly duplicates: number
  readonly seconds: number
  /** Why it counts as failed; "" when it does not. */
  readonly wrong: string
}

export async function play(fault: Fault, plan: Plan, links: Links | null): Promise<Result> {
  const startedAt = Date.now()
  const folder = await mkdtemp(join(tmpdir(), 'treacle-faults-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  if (fault.smallDisk === true) stack.defer(await smallDisk(join(folder, 'state')))
  const unheard = `memory.unheard = true\nmemory.unheard_file = "${folder}/state/unheard"\n`
  // Every message arrives at every step but the middle of the content, where only big ones do.
  const every = Math.max(1, Math.floor(plan.messages / plan.hitsMax))
  const dns = await dnsFor(fault, links, stack)
  const world = stack.use(
    await World.begin({
      folder,
      place: links?.place ?? loopback,
      step: fault.step,
      every: fault.step === 'body' ? 1 : every,
      hitsMax: fault.strike === undefined ? 0 : plan.hitsMax,
      config: (plan.memory ? unheard : '') + dns.config,
      ...(fault.nodeArgs && { nodeArgs: fault.nodeArgs }),
    }),
  )
  const bigEvery = fault.step === 'body' ? every : Number.POSITIVE_INFINITY
  const sending = world.send(plan.messages, bigEvery)
  const isDone = await endures(world, fault, links, { sending, timeoutMs: plan.timeoutMs })
  await sending
  const stored = [...(await world.stored()).values()]
  const counts = {
    delivered: stored.length,
    duplicates: stored.reduce((sum, count) => sum + count - 1, 0),
  }
  const seconds = Math.round((Date.now() - startedAt) / 100) / 10
  const hits = world.hits + dns.asked()
  const result = { fault, memory: plan.memory, sent: plan.messages, hits, seconds }
  return { ...result, ...counts, wrong: await wrongIn({ ...result, ...counts }, world, isDone) }
}

/** Strikes whenever the back end waits, until Postfix has nothing left. @returns Whether it came to that. */
async function endures(
  world: World,
  fault: Fault,
  links: Links | null,
  { sending, timeoutMs }: { readonly sending: Promise<void>; readonly timeoutMs: number },
): Promise<boolean> {
  const limit = AbortSignal.timeout(timeoutMs)
  let isGiven = false
  const given = sending.then(() => {
    isGiven = true
  })
  for (let looks = 0; !limit.aborted; looks += 1) {
    if (world.isHit()) {
      await fault.strike?.(world, links)
      world.goOn()
    }
    if (isGiven && looks % 20 === 0 && (await world.isSent())) {
      await mend(world)
      await given
      return true
    }
    await sleep(20)
  }
  return false
}

type Counts = Omit<Result, 'wrong'>

async function wrongIn(counts: Counts, world: World, isDone: boolean): Promise<string> {
  const { sent, delivered, duplicates, hits, fault, memory } = counts
  const bounced = /status=bounced/.test(await world.senderLog())
  const allowed = fault.lost250 ? hits : 0
  const wrongs = [
    isDone ? '' : 'not all sent in time',
    delivered === sent ? '' : `${sent - delivered} lost`,
    bounced ? 'bounced' : '',
    memory && duplicates > allowed ? `${duplicates - allowed} avoidable duplicates` : '',
    /"event":"our-fault"/.test(world.log) ? 'a bug in Treacle' : '',
    fault.nodeArgs === undefined && hits === 0 ? 'the fault never struck' : '',
  ]
  return wrongs.filter((wrong) => wrong !== '').join(', ')
}

/** A disk of 128 kB at a folder. @returns What takes it away again. */
async function smallDisk(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder)
  const ask = async (command: string, args: readonly string[]) => {
    const { code, output } = await run(requireCommand(command), args, { timeoutMs: 10_000 })
    if (code !== 0) throw new Error(`${command}: ${output}`)
  }
  await ask('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', folder])
  return () => ask('umount', [folder])
}

/** A DNS server that fails in the way the fault wants, the settings that name it, and how often it was asked. */
async function dnsFor(
  { config = '' }: Fault,
  links: Links | null,
  stack: AsyncDisposableStack,
): Promise<{ readonly config: string; readonly asked: () => number }> {
  if (!config.startsWith('dns ')) return { config, asked: () => 0 }
  const server: Socket = createSocket('udp4')
  let count = 0
  server.on('message', (query, { port, address }) => {
    count += 1
    if (config !== 'dns SERVFAIL') return
    const answer = Buffer.from(query)
    answer.set([0x81, 0x82], 2)
    server.send(answer, port, address)
  })
  server.bind(0, (links?.place ?? loopback).back)
  await once(server, 'listening')
  stack.defer(() => void server.close())
  const { address, port } = server.address()
  const settings = `dns.servers = ["${address}:${port}"]\ndns.timeout = "100ms"\n`
  return { config: settings, asked: () => count }
}
