/**
 * What a terminal would act on rather than show: C0 and C1 controls, DEL, the marks that turn the direction of writing,
 * and Unicode's own line ends. Hosts choose what they report; none of it may move the operator's cursor.
 */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]/gu;

/** Text of hosts, made safe to print: each control character is shown by its code. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, show);
}

function show(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
