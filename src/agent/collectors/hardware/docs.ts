import type { FactDoc } from '../doc.ts';

export const hardwareDocs: readonly FactDoc[] = [];
