/** What the tests of src/observe share. */
import { type Ledger, openLedger } from '../../src/core/ledger.ts'

export function ledgerOf(id: string): Ledger {
  return openLedger(id, new Date('2026-11-22T11:07:23Z'), '192.0.2.1', 4321)
}
