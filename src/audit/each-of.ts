/** Works on a stream's members, several at a time. Rejects with the first failure; what is under way then ends by itself. */
export async function eachOf<T>(
  stream: AsyncIterable<T> | Iterable<T>,
  work: (member: T) => Promise<void>,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const iterator = iterate(stream);
  // No async function: its frame would hold the member, which may be a host of megabytes, for as long as the work takes.
  const workOnNext = (): Promise<boolean> =>
    iterator.next().then((next) => {
      if (next.done === true) return false;
      signal.throwIfAborted();
      return work(next.value).then(() => true);
    });
  const worker = async () => {
    while (await workOnNext());
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

/** Both stores write together what is asked for at once, and share the wait for the disk. */
const AT_ONCE = 128;
