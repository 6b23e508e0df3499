import { group } from '../group.ts';

export const disk = group('disk', 'encryption in detail, swap, free space and health of disks', []);
