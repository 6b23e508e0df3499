/** What may end a line, move a cursor, or turn the direction of writing; line feeds and tabs are kept where text has lines. */
const CONTROLS =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/gu;
const LONE_SURROGATES = /\p{Surrogate}/gu;

export type Escape = (text: string) => string;

/** Of plain text. Host names, titles and reasons may come from outside. */
export const escapeText: Escape = (text) =>
  text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').replace(LONE_SURROGATES, '\ufffd');

/** Of a header, a subject: one line. */
export const escapeLine: Escape = (text) => escapeText(text).replace(/\s+/g, ' ').trim();

export const escapeHtml: Escape = (text) =>
  escapeText(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** https://api.slack.com/reference/surfaces/formatting#escaping: without `<` nothing is a link or calls a channel. */
export const escapeSlack: Escape = (text) =>
  escapeText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
