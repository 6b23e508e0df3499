import { group } from '../group.ts';

export const packages = group('packages', 'what is installed, and where from', []);
