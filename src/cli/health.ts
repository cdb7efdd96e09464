/**
 * `treacle health`: asks the running Treacle how it is, over its admin server. Exit code 0 means
 * well. It never talks to port 25, where each look would count as a client.
 */
import type { AdminOptions } from '../admin/options.ts'
import { messageOf } from '../core/errors.ts'

export interface HealthQuestion {
  readonly admin: AdminOptions
  readonly token: string | null
  /** Ask only whether it runs, not whether mail can be taken. */
  readonly liveOnly: boolean
}

const answerMs = 8_000

/** @returns true when all is well. */
export async function askHealth(
  { admin, token, liveOnly }: HealthQuestion,
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
    print(text)
    return answer.ok && text.includes('"name":"treacle"')
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    print(`${url}: ${messageOf(cause ?? error)}`)
    return false
  }
}

/** One who listens everywhere is asked on loopback. */
function reachable(listen: string): string {
  return listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
}
