import { askingOf, type Session } from './session.ts';
import { tellStatus } from './tell-status.ts';

export async function commandStatus(session: Session): Promise<number> {
  return tellStatus(askingOf(session, await session.settings()), session.output);
}
