import type { FactDoc } from '../doc.ts';

export const packagesDocs: readonly FactDoc[] = [];
