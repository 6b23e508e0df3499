import { group } from '../group.ts';

export const protection = group('protection', 'what watches over the machine', []);
