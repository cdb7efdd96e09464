/**
 * How punctual delays are: how much later than planned a client is let go that was made to wait at RCPT,
 * while many others wait, come and go. Each network has its own point in a range of two seconds, so
 * they are not let go in the order in which they came.
 *
 * Two views of the same waits. Treacle's own: what it waited less what it had planned, from the line
 * that its log has of each connection; that is what the goal speaks of. The client's: from RCPT to the
 * answer, less the time that the look-ups took and the planned wait. It has in it what the first may hide -
 * a command that was read late, an answer that was sent late -, the back end's conversation, which
 * begins only after the wait, and how late the client itself is, which is told beside it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile, round } from './lib/stats.ts'
import { measure, pick, type Reading } from './measure.ts'
import { type Server, startTreacle, type TreacleSetup } from './rig.ts'

const goalMs = 50

interface Case {
  /** How many wait at a time once the first have been let go. */
  readonly held: number
  /** The range of delays, and how long clients keep coming. */
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly comingSeconds: number
}

const cases: readonly Case[] = [500, 2_000, 5_000].map((held) => ({
  held,
  fromSeconds: 10,
  toSeconds: 12,
  comingSeconds: 20,
}))
const tinyCase: Case = { held: 20, fromSeconds: 1, toSeconds: 1, comingSeconds: 0.5 }

/** One wait that went to its end. */
interface Wait {
  /** By Treacle's own account. */
  readonly endedLateMs: number
  /** As the client saw it. */
  readonly answeredLateMs: number
}

export async function punctualTable(
  setup: Omit<TreacleSetup, 'pauses'>,
  tiny: boolean,
): Promise<string> {
  const rows: string[] = []
  for (const each of tiny ? [tinyCase] : cases) rows.push(await row(setup, each, tiny))
  const columns = [
    ...[
      'held at once',
      'let go at the end',
      'come each second',
      'ended late by, p50 ms',
      'p99',
      'most',
    ],
    ...['answered late by, p50 ms', 'p99', 'most', 'client lag p99', 'CPU share'],
  ]
  return [
    '## How punctual delays are\n',
    `| ${columns.join(' | ')} |`,
    `|${columns.map(() => '---:').join('|')}|`,
    ...rows,
    `\nThe goal is ${goalMs} ms at p99 for the end of the delay, from the log. "Answered" is what the client sees, with
the back end's conversation, which begins when the delay has ended.\n`,
  ].join('\n')
}

async function row(
  setup: Omit<TreacleSetup, 'pauses'>,
  { held, fromSeconds, toSeconds, comingSeconds }: Case,
  tiny: boolean,
): Promise<string> {
  // Any reason earns the whole delay.
  const config = `delay.full_at = 0.1\ndelay.target = ["${fromSeconds}s", "${toSeconds}s"]`
  await using treacle = await startTreacle({ ...setup, pauses: false, built: !tiny, config })
  const perSecond = held / ((fromSeconds + toSeconds) / 2)
  const count = Math.ceil(perSecond * comingSeconds)
  const args = ['--count', String(count), '--seconds', String(comingSeconds)]
  const reading = await measure('punctual', treacle, args, tiny ? 0 : 4_000)
  const waits = join(answersIn(reading), await connections(treacle, count))
  const late = [waits.map((wait) => wait.endedLateMs), waits.map((wait) => wait.answeredLateMs)]
  const cells = [
    ...[pick(reading, 'heldMax'), `${waits.length} of ${count}`, round(perSecond, 0)],
    ...late.flatMap(spread),
    ...[pick(reading, 'ownLagP99Ms'), pick(reading, 'serverCpuShare')],
  ]
  return `| ${cells.join(' | ')} |`
}

function spread(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort()
  return [0.5, 0.99, 1].map((part) => round(percentile(sorted, part), 1))
}

function answersIn(reading: Reading): ReadonlyMap<string, number> {
  const said = pick(reading, 'answers')
  return new Map(Array.isArray(said) ? said : [])
}

/** The lines of the log about connections that have ended, as soon as there are so many. */
async function connections({ output }: Server, count: number): Promise<readonly Reading[]> {
  for (let tries = 0; ; tries += 1) {
    const lines = (await output()).split('\n').filter((line) => line.includes('"connection"'))
    // A line may be half written; then its other half is there the next time.
    if (lines.length >= count || tries === 20) {
      return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line))
    }
    await sleep(100)
  }
}

function join(answers: ReadonlyMap<string, number>, ended: readonly Reading[]): readonly Wait[] {
  return ended.flatMap((line) => {
    const answeredMs = answers.get(`${line.client}:${line.port}`)
    const entries = Array.isArray(line.entries) ? line.entries : []
    const wait = entries.find((entry) => entry.stage === 'rcpt' && entry.reaction === 'waited')
    if (answeredMs === undefined || wait === undefined) return []
    const { lookupMs, plannedMs, waitedMs } = wait
    return [
      { endedLateMs: waitedMs - plannedMs, answeredLateMs: answeredMs - lookupMs - plannedMs },
    ]
  })
}
