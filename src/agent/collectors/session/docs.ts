import type { FactDoc } from '../doc.ts';

export const sessionDocs: readonly FactDoc[] = [];
