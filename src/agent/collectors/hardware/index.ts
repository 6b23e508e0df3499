import { group } from '../group.ts';

export const hardware = group('hardware', 'which machine it is, and its health', []);
