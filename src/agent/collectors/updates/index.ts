import { group } from '../group.ts';

export const updates = group('updates', 'how the machine keeps itself up to date', []);
