import { group } from '../group.ts';

export const session = group('session', 'screens, lids, and who is let in without a password', []);
