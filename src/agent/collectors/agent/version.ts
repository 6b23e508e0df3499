import type { Fact } from '../group.ts';

/** So that the server sees which hosts run an old agent. What it says changes with an upgrade, and with nothing else. */
export const version: Fact = { name: 'version', look: async (_host, { version }) => version };
