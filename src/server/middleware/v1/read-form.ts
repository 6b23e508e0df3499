import type { Context } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { parseForm } from '../../../wire/v1/form.ts';
import { slot } from '../../slot.ts';
import { rawBody } from '../limit-body.ts';

export interface SignedForm {
  data: string;
  signature: string;
}

export const form = slot<SignedForm>('form');

/** 400 makes the original client set its file aside; 403 lets it keep the file and try again. */
export async function readForm(ctx: Context, next: () => Promise<void>): Promise<void> {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = ctx.req.headers;
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new Refusal('bad-request', 'cannot read anything but application/x-www-form-urlencoded');
  }
  if (coding.toLowerCase() !== 'identity') throw new Refusal('bad-request', 'cannot read a compressed body');
  const fields = parseForm(rawBody.take(ctx));
  if (fields === undefined) throw new Refusal('bad-request', 'cannot read the form');
  const { data, signature } = fields;
  if (data === undefined) throw new Refusal('bad-request', 'cannot find the field data');
  if (signature === undefined) throw new Refusal('signature-refused', 'cannot take data without a signature');
  form.put(ctx, { data, signature });
  await next();
}
