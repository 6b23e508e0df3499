import { group } from '../group.ts';
import { settings } from './settings.ts';
import { version } from './version.ts';

export const agent = group(
  'agent',
  'version of this agent, and how it is set: how often it looks and reports, and which collectors are off',
  [settings, version],
);
