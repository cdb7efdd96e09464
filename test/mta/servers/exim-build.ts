/** What an Exim was built with. It is asked without its configuration, which may be anybody's. */
import { findUser } from './installed.ts'
import { run } from './process.ts'

/** Whether it understands PROXY headers; light builds do not. */
export async function hasProxySupport(exim: string): Promise<boolean> {
  return /^Support for:.* PROXY\b/m.test(await ask(exim, ['-bV']))
}

/** The user it becomes when it does not need to be root. */
export async function eximUser(exim: string): Promise<{ uid: number; gid: number }> {
  const output = await ask(exim, ['-bP', 'exim_user'])
  const user = findUser(/^exim_user = (\S+)/m.exec(output)?.[1] ?? '')
  if (user === undefined) throw new Error(`no user for Exim: ${output}`)
  return user
}

async function ask(exim: string, args: readonly string[]): Promise<string> {
  // Without a name it would ask DNS for one. A shell, because Exim cannot open our kind of pipe.
  const script =
    'printf "primary_hostname = localhost\nkeep_environment =\n" | "$0" -C /dev/stdin "$@"'
  const { output } = await run('sh', ['-c', script, exim, ...args], { timeoutMs: 10_000 })
  return output
}
