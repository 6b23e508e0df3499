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
const ORDER: readonly Deed[] = ['locks', 'asks', 'sleeps', 'unclear', 'nothing'];

/** What a command line, as for a shell, does to the session. Scripts of somebody's own are unclear. */
export function whatCommandDoes(command: string): Deed {
  const deeds = command.split(/\|\|?|&&?|;|\n/).map(whatPieceDoes);
  return ORDER.find((deed) => deeds.includes(deed)) ?? 'nothing';
}

function whatPieceDoes(piece: string): Deed {
  const words = piece.split(/\s+/).map((word) => word.replace(/^["'({]+|["')}]+$/g, ''));
  const rest = words.filter((word) => word !== '');
  while (rest[0] !== undefined && (PREFIXES.has(rest[0]) || /^\w+=/.test(rest[0]))) rest.shift();
  const [first, ...args] = rest;
  const program = first?.split('/').at(-1);
  if (program === undefined) return 'nothing';
  if (LOCKERS.has(program)) return 'locks';
  if (program === 'loginctl') return args.some((arg) => /^lock-sessions?$/.test(arg)) ? 'asks' : whatSystemDoes(args);
  if (program === 'systemctl') return whatSystemDoes(args);
  if (['sh', 'bash', 'dash'].includes(program) && args[0]?.startsWith('-'))
    return whatPieceDoes(args.slice(1).join(' '));
  const exec = args.indexOf('exec');
  if (['swaymsg', 'hyprctl', 'i3-msg'].includes(program) && exec !== -1)
    return whatPieceDoes(args.slice(exec + 1).join(' '));
  return HARMLESS.has(program) ? 'nothing' : 'unclear';
}

function whatSystemDoes(args: readonly string[]): Deed {
  return args.some((arg) => /^(suspend|hibernate|hybrid-sleep|suspend-then-hibernate|sleep)$/.test(arg))
    ? 'sleeps'
    : 'nothing';
}
