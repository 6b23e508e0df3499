import * as z from 'zod';
import type { Site } from './site.ts';

const audited = z.object({ issues: z.array(z.object({ hostname: z.string(), name: z.string() })) });

/** Runs the audit. @returns the names of the issues that are open on this host */
export async function openIssues(site: Site, hostname: string): Promise<string[]> {
  const { issues } = audited.parse(await site.domeJson('issues', 'audit'));
  return issues.filter((issue) => issue.hostname === hostname).map((issue) => issue.name);
}
