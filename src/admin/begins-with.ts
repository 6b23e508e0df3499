/** Whether an operator means this key or token by its beginning. An empty text (a variable that is not set) means none, not all. */
export function beginsWith(id: string, wanted: string): boolean {
  return wanted !== '' && id.startsWith(wanted);
}
