import { askingOf, type Session } from './session.ts';
import { tellStatus } from './tell-status.ts';
import { readUnitTroubles } from './unit-troubles.ts';

export async function commandStatus(session: Session): Promise<number> {
  const { context, places, output } = session;
  const units = places.hasUnits ? await readUnitTroubles(context.signal) : [];
  return tellStatus(askingOf(session, await session.settings()), output, units);
}
