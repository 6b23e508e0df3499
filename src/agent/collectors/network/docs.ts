import type { FactDoc } from '../doc.ts';

export const networkDocs: readonly FactDoc[] = [];
