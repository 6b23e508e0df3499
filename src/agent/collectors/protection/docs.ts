import type { FactDoc } from '../doc.ts';

export const protectionDocs: readonly FactDoc[] = [];
