import * as z from 'zod';
import { SEVERITIES } from '../core/audit.ts';
import { isMailAddress } from '../core/mail-address.ts';
import { addressRange, duration, path, port } from './scalars.ts';

const AN_ADDRESS = 'expected a mail address such as admins@example.org';
const mailAddress = z.string({ error: AN_ADDRESS }).refine(isMailAddress, { error: AN_ADDRESS });

/** A channel that is named is on unless it is switched off; it gets alerts of this severity and worse ones. */
const channel = { enabled: z.boolean().default(true), severity: z.enum(SEVERITIES).default('low') };

const smtp = z.strictObject({
  host: z.string().min(1),
  /** 587 for starttls, 465 for implicit, 25 for none where absent */
  port: port.min(1).optional(),
  /** none: only on this machine, or with allow_plaintext */
  tls: z.enum(['starttls', 'implicit', 'none']).default('starttls'),
  allow_plaintext: z.boolean().default(false),
  /** PEM file of the authority that signs the mail server's certificate, where that is none of the usual ones */
  ca: path.optional(),
  user: z.string().min(1).optional(),
  /** file that holds the password; or the credential `smtp-password` in $CREDENTIALS_DIRECTORY */
  password_file: path.optional(),
  from: mailAddress,
});

const A_NAME = 'expected a name of letters, digits, - and _';

const webhook = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, A_NAME),
  ...channel,
  format: z.enum(['json', 'slack']).default('json'),
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** file that holds the URL, where knowing it is all it takes to post; or the credential `webhook-NAME-url` */
  url_file: path.optional(),
  /** file that holds the key of the signatures; or the credential `webhook-NAME-secret` */
  secret_file: path.optional(),
  /** private, loopback and other addresses that it may nevertheless be at */
  allow_addresses: z.array(addressRange).default([]),
  /** http:// is refused without */
  allow_plaintext: z.boolean().default(false),
  ca: path.optional(),
});

export const deliverySettings = z.strictObject({
  journal: z.strictObject(channel).optional(),
  /** one digest for each of these administrators */
  mail: z.strictObject({ ...channel, to: z.array(mailAddress).default([]) }).optional(),
  /** the issues of their own hosts, to users whose address is known */
  user_mail: z.strictObject({ ...channel, enabled: z.boolean().default(false) }).prefault({}),
  webhooks: z.array(webhook).default([]),
  smtp: smtp.optional(),
  /** folder of templates that take the place of the built-in ones */
  templates: path.optional(),
  /** for one attempt */
  timeout: duration.default(30_000),
  /** since it was first to be sent */
  give_up_after: duration.default(3 * 86_400_000),
  /** how long what was delivered, or given up, stays on the list */
  keep: duration.default(7 * 86_400_000),
});

export type SmtpSettings = z.output<typeof smtp>;
export type WebhookSettings = z.output<typeof webhook>;
