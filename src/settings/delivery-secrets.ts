import { OperatorError } from '../core/errors.ts';
import { urlProblem } from './check-delivery-settings.ts';
import type { SmtpSettings, WebhookSettings } from './delivery-settings.ts';
import { readCredential } from './read-secret.ts';

/** What a webhook needs beside its settings: its URL may be a secret as well. */
export interface WebhookSecrets {
  url: URL;
  /** of the signatures; absent where nothing is signed */
  secret?: string;
}

/** @throws OperatorError where the settings name a user and there is no password */
export async function loadSmtpPassword(
  { user, password_file }: SmtpSettings,
  credentials: string | undefined,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const password = await readLine('smtp-password', credentials, password_file);
  if (password !== undefined) return password;
  throw missing(`log in to the mail server as ${user}`, 'delivery.smtp.password_file', 'smtp-password');
}

/** @throws OperatorError where the URL, or what a plain webhook is signed with, is missing or cannot be used */
export async function loadWebhookSecrets(
  { name, format, url, url_file, secret_file, allow_plaintext }: WebhookSettings,
  credentials: string | undefined,
): Promise<WebhookSecrets> {
  const text = url ?? (await readLine(`webhook-${name}-url`, credentials, url_file));
  if (text === undefined) throw missing(`reach the webhook ${name}`, 'its url or url_file', `webhook-${name}-url`);
  const problem = urlProblem(text, allow_plaintext);
  if (problem !== undefined)
    throw new OperatorError(`cannot use the URL of the webhook ${name}: expected ${problem}`, { exitCode: 3 });
  const secret = await readLine(`webhook-${name}-secret`, credentials, secret_file);
  if (secret === undefined && format === 'json') {
    throw missing(`sign what goes to the webhook ${name}`, 'its secret_file', `webhook-${name}-secret`);
  }
  if (secret !== undefined && secret.length < SHORTEST_SECRET) {
    throw new OperatorError(
      `cannot sign what goes to the webhook ${name}: its secret is shorter than ${SHORTEST_SECRET} characters; make one with openssl rand -hex 32`,
      { exitCode: 3 },
    );
  }
  return { url: new URL(text), ...(secret === undefined ? {} : { secret }) };
}

const SHORTEST_SECRET = 16;

async function readLine(
  name: string,
  credentials: string | undefined,
  file: string | undefined,
): Promise<string | undefined> {
  const secret = await readCredential(name, credentials, file, 'make it, or take it out of the settings');
  if (secret === undefined) return undefined;
  const line = secret.text.replace(/\r?\n$/, '');
  if (line === '') throw new OperatorError(`cannot use ${secret.file}: it is empty`, { exitCode: 3 });
  return line;
}

function missing(what: string, setting: string, credential: string): OperatorError {
  return new OperatorError(`cannot ${what}: set ${setting}, or pass the credential ${credential}`, { exitCode: 3 });
}
