import type { FactDoc } from '../doc.ts';

export const accountsDocs: readonly FactDoc[] = [];
