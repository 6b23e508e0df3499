/** How sessions and display managers call the desktops (XDG_SESSION_DESKTOP, XDG_CURRENT_DESKTOP), and we. */
const NAMES: readonly (readonly [pattern: RegExp, ours: string])[] = [
  [/^budgie/, 'budgie'],
  [/^unity/, 'unity'],
  [/^gnome-flashback/, 'gnome-flashback'],
  [/^(x-)?cinnamon/, 'cinnamon'],
  [/^mate/, 'mate'],
  [/^(kde|plasma)/, 'kde'],
  [/^(xfce|xubuntu)/, 'xfce'],
  [/^(gnome|ubuntu$|ubuntu-(xorg|wayland)|pop$|zorin)/, 'gnome'],
  [/^sway/, 'sway'],
  [/^hyprland/, 'hyprland'],
  [/^i3/, 'i3'],
  [/^(river|niri|labwc|wayfire|dwl)/, 'wlroots'],
  [/^(openbox|bspwm|awesome|dwm|herbstluftwm|fluxbox|icewm|lxqt|lxde|qtile|xmonad|spectrwm)/, 'x11'],
];

/** Programs that are a desktop, by their names as the kernel knows them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'budgie-wm': 'budgie',
  'budgie-panel': 'budgie',
  cinnamon: 'cinnamon',
  'mate-session': 'mate',
  plasmashell: 'kde',
  kwin_wayland: 'kde',
  kwin_x11: 'kde',
  'xfce4-session': 'xfce',
  'gnome-shell': 'gnome',
  'gnome-flashback': 'gnome-flashback',
  sway: 'sway',
  Hyprland: 'hyprland',
  '.Hyprland-wrapp': 'hyprland',
  i3: 'i3',
  river: 'wlroots',
  niri: 'wlroots',
  labwc: 'wlroots',
  wayfire: 'wlroots',
  dwl: 'wlroots',
  openbox: 'x11',
  bspwm: 'x11',
  awesome: 'x11',
  dwm: 'x11',
  herbstluftwm: 'x11',
  fluxbox: 'x11',
  icewm: 'x11',
  'lxqt-session': 'x11',
  lxsession: 'x11',
  qtile: 'x11',
};

/** @param name one, or several with `:` between them, as in XDG_CURRENT_DESKTOP (`ubuntu:GNOME`) */
export function nameDesktop(name: string): string | undefined {
  for (const part of name.toLowerCase().split(':')) {
    const found = NAMES.find(([pattern]) => pattern.test(part));
    if (found !== undefined) return found[1];
  }
  return undefined;
}

/** @param program as in /proc/PID/status */
export function desktopOfProgram(program: string): string | undefined {
  return Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
}
