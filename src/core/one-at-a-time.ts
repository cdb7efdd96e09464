/** Work that must not overlap with itself, such as reading the configuration again. */

/** Runs `work` at each call, never twice at once: calls that come meanwhile become one more run. */
export function oneAtATime(work: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async () => {
    running = true
    do {
      again = false
      await work()
    } while (again)
    running = false
  }
  return () => {
    again = true
    if (!running) void run()
  }
}
