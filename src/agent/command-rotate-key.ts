import { EXIT } from './exit-codes.ts';
import { hostnameOf } from './hostname-of.ts';
import { withLock } from './lock.ts';
import { openSpeaker } from './open-speaker.ts';
import { makeSubmit } from './places.ts';
import { rotateKey } from './rotate-key.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';

export async function commandRotateKey(session: Session): Promise<number> {
  const { context, places, output } = session;
  const settings = await session.settings();
  const hostname = hostnameOf(settings, context.hostname);
  await makeSubmit(places);
  const { old_key_id, key, old_key_ends_at } = await withLock(places.submit.lock, 'replace the key', async () => {
    const speaker = await openSpeaker(places, settings, context, 'replace the key');
    try {
      const rotated = await rotateKey(places, speaker, { hostname, version: context.version });
      return { ...rotated, old_key_id: speaker.key.id };
    } finally {
      speaker.connection.close();
      await speaker.tickets.save();
    }
  });
  await leaveStatus(askingOf(session, settings));
  output.json({ status: 'rotated', key_id: key.id, old_key_id, old_key_ends_at });
  output.line(`key ${key.id}`);
  output.line(`the old one, ${old_key_id}, ${old_key_ends_at === null ? 'has ended' : `ends at ${old_key_ends_at}`}`);
  return EXIT.ok;
}
