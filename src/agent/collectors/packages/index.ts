import { group } from '../group.ts';
import { inventory } from './inventory.ts';
import { repositories } from './repositories.ts';

export const packages = group('packages', 'what is installed, and where from', [inventory, repositories]);
