import { group } from '../group.ts';

export const accounts = group('accounts', 'who may do what here', []);
