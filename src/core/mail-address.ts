/** RFC 5321 section 4.1.2 without quoted names and address literals; nothing of it could end a header or a command. */
const MAIL_ADDRESS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(.+)$/;
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

export function isMailAddress(text: string): boolean {
  const domain = MAIL_ADDRESS.exec(text)?.[2];
  if (domain === undefined || text.length > 254 || text.indexOf('@') > 64) return false;
  return domain.split('.').every((label) => LABEL.test(label));
}
