import { readFollowing } from '../read-hostile.ts';

/** Of this start of the machine; '' where nobody knows. */
export async function bootId(): Promise<string> {
  const text = await readFollowing('/proc/sys/kernel/random/boot_id', 1024).catch(() => undefined);
  return text?.toString('utf8').trim() ?? '';
}
