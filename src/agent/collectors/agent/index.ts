import { group } from '../group.ts';
import { settings } from './settings.ts';

export const agent = group(
  'agent',
  'how this agent is set: how often it looks and reports, and which collectors are off',
  [settings],
);
