/** Works on a stream's members, several at a time. Rejects with the first failure; what is under way then ends by itself. */
export async function eachOf<T>(
  stream: AsyncIterable<T> | Iterable<T>,
  work: (member: T) => Promise<void>,
  options: { signal: AbortSignal },
): Promise<void> {
  const iterator = iterate(stream);
  const worker = async () => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      options.signal.throwIfAborted();
      await work(next.value);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await iterator.return(undefined);
  }
}

async function* iterate<T>(stream: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* stream;
}

/** Both stores write together what is asked for at once, and share the wait for the disk; and so many hosts' documents are in memory. */
const AT_ONCE = 64;
