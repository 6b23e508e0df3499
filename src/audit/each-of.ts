/** Works on a stream's members, several at a time. Rejects with the first failure; what is under way then ends by itself. */
export async function eachOf<T>(
  stream: AsyncIterable<T>,
  work: (member: T) => Promise<void>,
  options: { signal: AbortSignal },
): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]();
  const worker = async () => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      options.signal.throwIfAborted();
      await work(next.value);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await iterator.return?.();
  }
}

/** MongoDB shares the flush of its journal among the writes that wait for it. */
const AT_ONCE = 16;
