/** Runs one measuring tool against one server, and takes the medians of several rounds. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findCommand } from '../test/mta/servers/installed.ts'
import { quiet } from './lib/quiet.ts'
import { median, round } from './lib/stats.ts'
import type { Measured } from './rig.ts'

/** What a tool printed. */
export type Reading = Readonly<Record<string, unknown>>

const taskset = findCommand('taskset')
/** Cores that others may use while we measure. */
const noiseMax = 0.3

/**
 * @param patienceMs How long to wait for a quiet machine.
 * @throws Error when the tool says something else than one line of JSON.
 */
export async function measure(
  tool: 'load' | 'hold' | 'punctual',
  { port, pids, cgroup }: Measured,
  args: readonly string[],
  patienceMs: number,
): Promise<Reading> {
  const group = cgroup === null ? [] : ['--cgroup', cgroup]
  const own = ['--target', `127.0.0.1:${port}`, '--pid', pids.join(','), ...group]
  return await runTool(tool, [...own, ...args], patienceMs)
}

async function runTool(
  tool: string,
  args: readonly string[],
  patienceMs: number,
): Promise<Reading> {
  if (patienceMs > 0) await quiet(noiseMax, patienceMs)
  const script = join(import.meta.dirname, `${tool}.ts`)
  const pinned = taskset === undefined ? [] : [taskset, '-c', '1']
  const [command = '', ...rest] = [...pinned, process.execPath, script, ...args]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await once(child, 'close')
  const reading: Reading = JSON.parse(output)
  return reading
}

/**
 * Each server once, then each again: what slows the machine down slows all of them.
 *
 * @param warmsUp Whether a round goes before that is not counted: servers run for months, and those that
 *   compile as they go need some thousand messages for it.
 */
export async function interleaved(
  servers: readonly Measured[],
  rounds: number,
  args: readonly string[],
  { patienceMs, warmsUp }: { readonly patienceMs: number; readonly warmsUp: boolean },
): Promise<Map<string, Reading[]>> {
  const readings = new Map<string, Reading[]>(servers.map(({ name }) => [name, []]))
  for (let count = warmsUp ? -1 : 0; count < rounds; count += 1) {
    for (const server of servers) {
      const reading = await measure('load', server, args, count < 0 ? 0 : patienceMs)
      if (count >= 0) readings.get(server.name)?.push(reading)
    }
  }
  return readings
}

/** One client for all of them, with each in turn. */
export async function inTurns(
  servers: readonly Measured[],
  args: readonly string[],
  patienceMs: number,
): Promise<Map<string, Reading[]>> {
  const targets = servers.flatMap(({ name, port }) => ['--target', `${name}=${port}`])
  const readings = await runTool('turns', [...targets, ...args], patienceMs)
  return new Map(servers.map(({ name }) => [name, [readings[name]].filter(isRecord)]))
}

/** @param path "latencyMs.session.p50". */
export function numbersIn(readings: readonly Reading[], path: string): number[] {
  return readings.map((reading) => Number(pick(reading, path))).filter(Number.isFinite)
}

/** As numbersIn. */
export function medianOf(readings: readonly Reading[], path: string): number {
  return median(...numbersIn(readings, path))
}

export function pick(reading: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), reading)
}

function isRecord(value: unknown): value is Reading {
  return typeof value === 'object' && value !== null
}

/** "123 (0.81)": a median, and its ratio to that of the baseline. */
export function cell(value: number, base: number): string {
  if (!Number.isFinite(value)) return '-'
  const shown = String(round(value, value < 10 ? 3 : 1))
  // Without a control group CPU is counted in ticks, and a tiny run may have taken none.
  return Number.isFinite(value / base) ? `${shown} (${round(value / base, 2)})` : shown
}
