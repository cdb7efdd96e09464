/**
 * `treacle health`: asks the running Treacle how it is, over its admin server. Exit code 0 means
 * well. It never talks to port 25, where each look would count as a client.
 */
import { z } from 'zod'
import type { AdminOptions } from '../admin/options.ts'
import { messageOf } from '../core/errors.ts'
import { visible } from '../core/text.ts'

export interface HealthQuestion {
  readonly admin: AdminOptions
  readonly token: string | null
  /** Ask only whether it runs, not whether mail can be taken. */
  readonly liveOnly: boolean
  /** Print what the server says as it is. */
  readonly json: boolean
}

/** What it says, from whichever version of Treacle. */
const answerShape = z.object({
  name: z.literal('treacle'),
  status: z.string(),
  problems: z.array(z.string()).default([]),
  certificateDaysLeft: z.number().nullish(),
  connections: z.number().optional(),
  held: z.number().default(0),
})

const answerMs = 8_000
const textMax = 10_000

/** @returns true when all is well. */
export async function askHealth(
  { admin, token, liveOnly, json }: HealthQuestion,
  print: (line: string) => void,
): Promise<boolean> {
  if (admin.listen === '') {
    print('admin.listen is "": there is nobody to ask')
    return false
  }
  const url = `http://${reachable(admin.listen)}/${liveOnly ? 'live' : 'ready'}`
  try {
    const answer = await fetch(url, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerMs),
    })
    const text = await answer.text()
    const { success, data } = answerShape.safeParse(parsed(text))
    for (const line of success && !json ? inWords(data) : [visible(text, textMax)]) print(line)
    return answer.ok && success
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    print(`${url}: ${messageOf(cause ?? error)}`)
    return false
  }
}

/** Somebody else may be listening there, who says anything. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** How it is in one word, then what is wrong, then what there is to know. */
function inWords(answer: z.infer<typeof answerShape>): string[] {
  const { status, problems, certificateDaysLeft: days, connections, held } = answer
  const certificate = days == null ? [] : [`the certificate is good for ${days} more days`]
  const clients =
    connections === undefined ? [] : [`${connections} clients are connected, ${held} of them wait`]
  const facts = problems.some((problem) => problem.includes('certificate')) ? [] : certificate
  return [
    visible(status),
    ...problems.map((problem) => `  problem: ${visible(problem, 1_000)}`),
    ...[...facts, ...clients].map((fact) => `  ${fact}`),
  ]
}

/** One who listens everywhere is asked on loopback. */
function reachable(listen: string): string {
  return listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}
