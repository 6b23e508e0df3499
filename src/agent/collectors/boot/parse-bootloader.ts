/**
 * Whether grub.cfg restricts its command line and the editing of entries to superusers. An empty list of them locks everybody out, and counts
 * (GRUB manual, "Authentication and authorisation"). `sometimes`: only under a condition that is not followed here.
 */
export function grantsSuperusers(text: string): 'always' | 'sometimes' | 'never' {
  let [depth, ofUserFile, sometimes] = [0, false, false];
  for (const line of text.split('\n')) {
    // Each script of /etc/grub.d is complete in itself.
    if (line.startsWith('### BEGIN ')) [depth, ofUserFile] = [0, line.includes('/01_users ')];
    // A menu entry's commands run when it is chosen.
    if (/^\s*(?:if|for|while|until|function|menuentry|submenu)\b/.test(line)) depth += 1;
    if (/^\s*(?:fi|done|\})\s*;?\s*$/.test(line) || /^\s*if\b.*;\s*fi\s*$/.test(line)) depth = Math.max(0, depth - 1);
    if (!/^\s*set\s+superusers=/.test(line)) continue;
    if (depth === 0) return 'always';
    // Fedora has this in every grub.cfg, for a user.cfg with a password, which is looked at by itself.
    if (!ofUserFile) sometimes = true;
  }
  return sometimes ? 'sometimes' : 'never';
}

/** grub2-setpassword's user.cfg: `GRUB2_PASSWORD=grub.pbkdf2.sha512.…`. */
export function hasUserPassword(text: string): boolean {
  return /^\s*GRUB2_PASSWORD=["']?grub\.pbkdf2\./m.test(text);
}

/** A script of /etc/grub.d that writes a password out; 01_users itself has `${GRUB2_PASSWORD}` there. */
export function hasGrubPassword(text: string): boolean {
  return /^\s*(?:password_pbkdf2\s+\S+\s+grub\.pbkdf2\.|password\s+\S+\s+\S)/m.test(text);
}

/** loader.conf(5): `editor` is on where it is not named; the last one counts. */
export function isEditorOff(text: string): boolean {
  const values = [...text.matchAll(/^[ \t]*editor[ \t]+(\S+)[ \t]*$/gm)].map(([, value]) => value?.toLowerCase());
  return /^(?:0|no|n|false|f|off)$/.test(values.at(-1) ?? 'yes');
}
