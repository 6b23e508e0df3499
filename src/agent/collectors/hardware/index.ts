import { group } from '../group.ts';
import { battery } from './battery.ts';
import { identity } from './identity.ts';

export const hardware = group('hardware', 'which machine it is, and its health', [battery, identity]);
