/** The command line as it is, with nothing carried out. */
import { type Actions, programOf } from '../../src/cli/program.ts'

const idle: Actions = {
  async run() {},
  async check() {},
  async health() {},
  completion() {},
  async demo() {},
  async send() {},
  async replay() {},
  async try() {},
  async explain() {},
  manual() {},
}

export const idleProgram = programOf('0.0.0', idle)
