import type { ExecutionContext } from 'ava';
import type { Profile } from '../../src/core/audit.ts';
import type { Fields } from '../../src/core/value.ts';
import { folderOf } from '../audit/scratch.ts';
import type { StoreKind } from '../support/stores.ts';
import { type AdminSite, adminSite } from './admin-site.ts';

export const BLUETOOTH = `name: bluetooth-on
title: Bluetooth is on
severity: low
rationale: Whoever is near can try to connect.
profiles: [server]
query:
  $or:
    - plugins.radio.bluetooth: "on"
    - { plugins.radio.hard: false, plugins.radio.soft: false }
needs: [plugins.radio]
applies_to: { hostname: { $regex: ^srv- } }
grace_period: 1d
remediation: { default: Switch it off, debian: Run rfkill block bluetooth }
tags: [radio]
`;

export interface CheckedSite extends AdminSite {
  /** the site's own folder of checks */
  own: string;
  report(hostname: string, plugins: Fields): Promise<void>;
}

/** A server with a folder of checks of its own. */
export async function checkedSite(
  t: ExecutionContext,
  files: Record<string, string> = {},
  options: { kind?: StoreKind; profile?: Profile } = {},
): Promise<CheckedSite> {
  const own = await folderOf(t, files);
  const { kind, profile } = options;
  const site = await adminSite(t, kind, { checks: [own], ...(profile !== undefined && { checks_profile: profile }) });
  const report: CheckedSite['report'] = async (hostname, plugins) => {
    await site.store.hosts.storeV1({ hostname, at: site.clock.now(), plugins, trail: [] });
  };
  return { ...site, own, report };
}
