import type { FactDoc } from '../doc.ts';

export const updatesDocs: readonly FactDoc[] = [];
