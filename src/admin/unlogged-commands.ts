/**
 * Commands that the operator log does not tell of, and why. Every other one is logged: a new command is, unless it is added here.
 */
export const UNLOGGED: ReadonlyMap<string, 'it only reads' | 'what a timer does'> = new Map([
  ['settings get', 'it only reads'],
  ['enrollment list', 'it only reads'],
  ['hosts list', 'it only reads'],
  ['hosts show', 'it only reads'],
  ['hosts history', 'it only reads'],
  ['hosts parameters list', 'it only reads'],
  ['checks list', 'it only reads'],
  ['checks show', 'it only reads'],
  ['checks test', 'it only reads'],
  ['checks explain', 'it only reads'],
  ['issues list', 'it only reads'],
  // decides nothing that the checks did not say, and alerts must go out where the log's disk is full, too
  ['issues audit', 'what a timer does'],
  ['orders list', 'it only reads'],
  ['orders show', 'it only reads'],
  ['orders verify', 'it only reads'],
  ['release list', 'it only reads'],
  ['release show', 'it only reads'],
  ['delivery list', 'it only reads'],
  ['keys list', 'it only reads'],
  ['passwords list', 'it only reads'],
  ['groups list', 'it only reads'],
  ['ports list', 'it only reads'],
  ['client-settings list', 'it only reads'],
  ['migrate status', 'it only reads'],
  ['log list', 'it only reads'],
  ['log verify', 'it only reads'],
  ['completion', 'it only reads'],
  ['completion-names', 'it only reads'],
]);
