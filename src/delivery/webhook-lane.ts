import type { Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import type { WebhookSecrets } from '../settings/delivery-secrets.ts';
import type { WebhookSettings } from '../settings/delivery-settings.ts';
import { digestOf } from './alert-key.ts';
import type { Lane } from './lane.ts';
import { post } from './post.ts';
import { readCa } from './read-ca.ts';
import type { Template } from './template.ts';
import { jsonBody, signatureHeaders, slackBody } from './webhook-message.ts';

export interface WebhookDeps {
  settings: WebhookSettings;
  secrets: WebhookSecrets;
  slack: Template;
  server: string;
  version: string;
  timeout: Milliseconds;
  clock: Clock;
}

/** Plain: each alert a request. Slack: several in one. */
export async function webhookLane(deps: WebhookDeps): Promise<Lane> {
  const { settings, secrets, timeout } = deps;
  const ca = await readCa(settings.ca);
  return {
    atOnce: settings.format === 'slack' ? 1 : 4,
    async send(entries, { test, signal }) {
      const message = messageFor(deps, entries, test);
      if (message === undefined) return;
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': message.key,
        'user-agent': `PenguinDome/${deps.version}`,
        ...signatureHeaders(message.body, secrets.secret, deps.clock.now()),
      };
      const connection = { url: secrets.url, allowed: settings.allow_addresses, ...(ca === undefined ? {} : { ca }) };
      await post({ ...connection, headers, body: message.body, timeout, signal });
    },
  };
}

function messageFor(
  { settings, slack, server }: WebhookDeps,
  entries: Parameters<Lane['send']>[0],
  test: boolean,
): { key: string; body: string } | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const occasion = { server, test };
  if (settings.format === 'json') return { key: first.key, body: jsonBody(first, occasion) };
  const key = entries.length === 1 ? first.key : digestOf(entries.map(({ key }) => key));
  return { key, body: slackBody(slack, entries, occasion) };
}
