import type { Delivery } from '../core/delivery.ts';
import { OperatorError } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import type { Clock, Random } from '../core/world.ts';
import { loadSmtpPassword, loadWebhookSecrets } from '../settings/delivery-secrets.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { Store } from '../store/port.ts';
import { journalLane } from './journal.ts';
import type { Lane, OpenLane } from './lane.ts';
import { loadTemplates, type Templates } from './load-templates.ts';
import { mailLane } from './mail-lane.ts';
import { queueAlerts } from './queue-alerts.ts';
import { sendDue } from './send-due.ts';
import { targetsOf } from './targets.ts';
import { testReceivers } from './test-receivers.ts';
import { webhookLane } from './webhook-lane.ts';

export interface DeliveryOptions {
  settings: Pick<ServerSettings, 'audit' | 'delivery' | 'public_url'>;
  /** opened when it is needed */
  store: () => Promise<Store>;
  /** $CREDENTIALS_DIRECTORY */
  credentials: string | undefined;
  /** takes lines for the journal; undefined where nobody would hand them on: alerts for it then wait for another run */
  journal: ((line: string) => void) | undefined;
  version: string;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
}

/** Delivery over a store, by the settings. Secrets are read when a message is to be sent. */
export async function openDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { settings, clock, random, log, signal } = options;
  const { timeout, give_up_after: giveUpAfter, keep, user_mail, templates: folder } = settings.delivery;
  const { templates, problems } = await loadTemplates(folder);
  const openLane = laneOpener(options, templates);
  const outbox = async () => (await options.store()).outbox;
  const emailsOf = async (hostnames: readonly string[]) => {
    const found = await (await options.store()).parameters.list({ hostnames, parameters: ['user_email'] });
    return new Map(found.map(({ hostname, value }) => [hostname, value]));
  };
  return {
    on: targetsOf(settings).length > 0 || user_mail.enabled,
    async queue(alerts, how) {
      const queued = await queueAlerts({ settings, random, emailsOf, outbox: await outbox() }, alerts, how);
      return { ...queued, problems: [...problems, ...queued.problems] };
    },
    send: async () => {
      const deps = { outbox: await outbox(), openLane, timeout, giveUpAfter, keep };
      return sendDue({ ...deps, clock, random, log, signal });
    },
    test: async (wanted) => testReceivers({ settings, openLane, clock, random, signal }, wanted),
  };
}

function laneOpener(options: DeliveryOptions, templates: Templates): OpenLane {
  return async ({ channel, receiver }) => {
    switch (channel) {
      case 'journal':
        return options.journal === undefined ? undefined : journalLane(options.journal);
      case 'mail':
      case 'user-mail':
        return openMail(options, templates);
      case 'webhook':
        return openWebhook(options, templates, receiver);
      default:
        return channel satisfies never;
    }
  };
}

async function openMail({ settings, ...options }: DeliveryOptions, templates: Templates): Promise<Lane> {
  const { smtp, timeout } = settings.delivery;
  if (smtp === undefined) throw new OperatorError('the settings name no mail server (delivery.smtp)');
  const password = await loadSmtpPassword(smtp, options.credentials);
  return mailLane({ settings: smtp, password, templates, server: hostOf(settings), timeout, clock: options.clock });
}

async function openWebhook(
  { settings, ...options }: DeliveryOptions,
  templates: Templates,
  name: string,
): Promise<Lane> {
  const { webhooks, timeout } = settings.delivery;
  const webhook = webhooks.find((each) => each.name === name);
  if (webhook === undefined) throw new OperatorError('the settings name no such webhook');
  if (!webhook.enabled) throw new OperatorError('it is switched off in the settings');
  return webhookLane({
    settings: webhook,
    secrets: await loadWebhookSecrets(webhook, options.credentials),
    slack: templates['slack.txt'],
    server: hostOf(settings),
    version: options.version,
    timeout,
    clock: options.clock,
  });
}

function hostOf({ public_url }: Pick<ServerSettings, 'public_url'>): string {
  return new URL(public_url).hostname;
}
