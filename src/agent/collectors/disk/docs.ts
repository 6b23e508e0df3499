import type { FactDoc } from '../doc.ts';

export const diskDocs: readonly FactDoc[] = [];
