/** `asks`: asks logind to have the session locked, which somebody must do; `sleeps`: suspends the machine */
export type Deed = 'locks' | 'asks' | 'sleeps' | 'unclear' | 'nothing';

const LOCKERS = new Set(
  (
    'swaylock gtklock waylock hyprlock schlock nwg-lock i3lock i3lock-fancy i3lock-fancy-rapid i3lock-color blurlock betterlockscreen ' +
    'slock sxlock alock xlock xtrlock xsecurelock physlock vlock xflock4 gnome-screensaver-command mate-screensaver-command ' +
    'cinnamon-screensaver-command xfce4-screensaver-command light-locker-command xscreensaver-command dm-tool'
  ).split(' '),
);
/** What idle daemons are told to do beside: the screen, the light, a word of warning. */
const HARMLESS = new Set(
  (
    'brightnessctl brillo dunstify echo hyprctl killall light niri notify-send pgrep pidof pkill playerctl ' +
    'riverctl sleep swaymsg systemctl test touch true wlopm wlr-randr xbacklight xrandr xset ['
  ).split(' '),
);
const PREFIXES = new Set(['exec', 'nohup', 'setsid', 'sudo', 'env', 'command', 'uwsm', 'app', '--']);
/** characters; and shells within shells */
const LONGEST = 4096;
const DEEPEST = 8;
const ORDER: readonly Deed[] = ['locks', 'asks', 'sleeps', 'unclear', 'nothing'];

/** What a command line, as for a shell, does to the session. Scripts of somebody's own are unclear. */
export function whatCommandDoes(command: string): Deed {
  if (command.length > LONGEST) return 'unclear';
  const deeds = command.split(/\|\|?|&&?|;|\n/).map((piece) => whatPieceDoes(piece));
  return ORDER.find((deed) => deeds.includes(deed)) ?? 'nothing';
}

function whatPieceDoes(piece: string, depth = 0): Deed {
  if (depth > DEEPEST) return 'unclear';
  const words = piece
    .split(/\s+/)
    .map(bare)
    .filter((word) => word !== '');
  const start = words.findIndex((word) => !PREFIXES.has(word) && !/^\w+=/.test(word));
  const [first, ...args] = start === -1 ? [] : words.slice(start);
  const program = first?.split('/').at(-1);
  if (program === undefined) return 'nothing';
  if (LOCKERS.has(program)) return 'locks';
  if (program === 'loginctl') return args.some((arg) => /^lock-sessions?$/.test(arg)) ? 'asks' : whatSystemDoes(args);
  if (program === 'systemctl') return whatSystemDoes(args);
  if (['sh', 'bash', 'dash'].includes(program) && args[0]?.startsWith('-'))
    return whatPieceDoes(args.slice(1).join(' '), depth + 1);
  const exec = args.indexOf('exec');
  if (['swaymsg', 'hyprctl', 'i3-msg'].includes(program) && exec !== -1)
    return whatPieceDoes(args.slice(exec + 1).join(' '), depth + 1);
  return HARMLESS.has(program) ? 'nothing' : 'unclear';
}

/** Without the quotes and brackets around it. An expression for those at its end would begin anew at each quote in it. */
function bare(word: string): string {
  const ends = `"')}`;
  let end = word.length;
  while (end > 0 && ends.includes(word.charAt(end - 1))) end -= 1;
  return word.slice(0, end).replace(/^["'({]+/, '');
}

function whatSystemDoes(args: readonly string[]): Deed {
  return args.some((arg) => /^(suspend|hibernate|hybrid-sleep|suspend-then-hibernate|sleep)$/.test(arg))
    ? 'sleeps'
    : 'nothing';
}
