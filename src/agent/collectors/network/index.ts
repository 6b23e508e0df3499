import { group } from '../group.ts';

export const network = group('network', 'what listens, name resolution, kernel settings', []);
