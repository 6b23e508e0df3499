import { group } from '../group.ts';
import { autoLogin } from './auto-login.ts';
import { lid } from './lid.ts';
import { screenLock } from './screen-lock.ts';

export const session = group('session', 'screens, lids, and who is let in without a password', [
  autoLogin,
  lid,
  screenLock,
]);
