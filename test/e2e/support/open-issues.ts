import * as z from 'zod';
import type { Site } from './site.ts';

const issues = z.array(z.object({ hostname: z.string(), name: z.string() }));
const audited = z.union([issues, z.object({ issues }).transform((said) => said.issues)]);

/** Runs the audit. @returns the names of the issues that are open on this host */
export async function openIssues(site: Site, hostname: string): Promise<string[]> {
  const open = audited.parse(await site.domeJson('issues', 'audit'));
  return open.filter((issue) => issue.hostname === hostname).map((issue) => issue.name);
}
