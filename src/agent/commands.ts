import { Argument, Command, CommanderError, Option } from 'commander';
import { WIPE_METHODS } from '../core/order.ts';
import type { AgentContext } from './context.ts';
import { EXIT, EXIT_HELP } from './exit-codes.ts';
import { addPluginTool } from './plugin-tool-commands.ts';
import { reportFailure } from './report-failure.ts';
import { type Session, session } from './session.ts';

const EXAMPLES = `
Examples:
  penguindome-agent enroll --token-file token     make this host known to the server that the token names
  penguindome-agent run                           do what is due: collect, submit, carry out orders
  penguindome-agent collect --show                see exactly what would be sent
  penguindome-agent status                        see whether all is well
  penguindome-agent --state ~/penguindome status  without root: everything below one folder

${EXIT_HELP}`;

/** Runs one command line (without node and program). @returns the exit status */
export async function runCommandLine(context: AgentContext, args: readonly string[]): Promise<number> {
  let status: number = EXIT.ok;
  const program = agentCommands(context, async (command) => {
    status = await command(session(context, program.opts()));
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportFailure(session(context, program.opts()).output, error);
  }
}

type Act = (command: (session: Session) => Promise<number>) => Promise<void>;

/** The whole of `penguindome-agent`, as a tree. */
export function agentCommands(
  { version, write, writeError }: Pick<AgentContext, 'version' | 'write' | 'writeError'>,
  act: Act,
): Command {
  const program = new Command('penguindome-agent')
    .description('Reports what this machine is like to its PenguinDome server, and carries out its orders.')
    .version(version)
    .option('--state <dir>', 'folder of the state (default: /var/lib/penguindome)')
    .option('--config <file>', 'settings (default: /etc/penguindome/agent.yml; with --state: DIR/etc/agent.yml)')
    .option('--json', 'one JSON value on standard output')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: writeError });
  addEnroll(program, act);
  addRotateKey(program, act);
  addReporting(program, act);
  addOrders(program, act);
  addWipePlan(program, act);
  addLooking(program, act);
  addPluginTool(program, act);
  addOrderRun(program, act);
  return program;
}

function addEnroll(program: Command, act: Act): void {
  program
    .command('enroll')
    .description('make this host known to a server, with a token from a file or standard input')
    .option('--token-file <file>', 'file that holds the token; it is overwritten and removed after success')
    .option('--pin-address', 'let the submitting unit speak with no other address than the present ones of the server')
    .option('--new-server', 'leave the server that this host is enrolled with')
    .option('--new-key', 'come with a new key: for a clone of another host, or after the key was revoked')
    .addHelpText(
      'after',
      '\nExamples:\n  penguindome-agent enroll --token-file token\n  ssh server penguindome enrollment token | penguindome-agent enroll\n\nA token never goes on the command line, where every user could read it.',
    )
    .action((options: { tokenFile?: string; pinAddress?: true; newServer?: true; newKey?: true }) =>
      act(async (session) => (await import('./command-enroll.ts')).commandEnroll(session, options)),
    );
}

function addRotateKey(program: Command, act: Act): void {
  program
    .command('rotate-key')
    .description("replace this host's key by a new one; host, history and reports go on")
    .addHelpText('after', ROTATE_HELP)
    .action(() => act(async (session) => (await import('./command-rotate-key.ts')).commandRotateKey(session)));
}

const ROTATE_HELP = `
The old key signs for the new one, so that nobody has to approve anything. The server refuses the old key from some time on
(setting agents.key_overlap there, 7 days). What is cut off on the way is finished by the next submit, or by this command.
A key that somebody else may have had in hand: let an operator revoke it as well (penguindome enrollment revoke, on the server).

Example:
  penguindome-agent rotate-key`;

function addReporting(program: Command, act: Act): void {
  program
    .command('collect')
    .description('look at this machine and put a report into the spool')
    .option('--show', 'keep nothing; print exactly what would be sent')
    .addHelpText('after', examples('collect', 'collect --show', 'collect --show --json'))
    .action((options: { show?: true }) =>
      act(async (session) => {
        const { commandCollect, commandShow } = await import('./command-collect.ts');
        return options.show ? commandShow(session) : commandCollect(session);
      }),
    );
  program
    .command('collect-online')
    .description(
      'ask outside what only others can tell of this machine, for the next collect to take (as penguindome-online)',
    )
    .option('--now', 'ask although it is not time yet')
    .addHelpText('after', `${ONLINE_HELP}\n${examples('collect-online', 'collect-online --now')}`)
    .action((options: { now?: true }) =>
      act(async (session) =>
        (await import('./command-collect-online.ts')).commandCollectOnline(session, options.now === true),
      ),
    );
  program
    .command('submit')
    .description('hand over the reports that wait in the spool, fetch orders, and tell what became of them')
    .option('--orders-only', 'hand over no report')
    .addHelpText('after', examples('submit', 'submit --orders-only'))
    .action((options: { ordersOnly?: true }) =>
      act(async (session) => (await import('./command-submit.ts')).commandSubmit(session, options.ordersOnly === true)),
    );
  program
    .command('run')
    .description(
      'do all that is due: collect, submit, carry out orders (for hosts without systemd: call it every minute)',
    )
    .addOption(new Option('--now', 'collect and submit although it is not time yet'))
    .addHelpText('after', examples('run', 'run --now'))
    .action((options: { now?: true }) =>
      act(async (session) => (await import('./command-run.ts')).commandRun(session, options.now === true)),
    );
}

const ONLINE_HELP = `
Which addresses others see this machine under and where it is, where settings name whom to ask (collectors.ip_addresses, geolocation);
new lists of packages, with dnf and pacman (collectors.package_lists). Where packages have made penguindome-online, a user of its own asks,
since root's collect has no network: systemctl start penguindome-collect-online. Elsewhere collect asks by itself.`;

/** Not for people: `apply` has it started. */
function addOrderRun(program: Command, act: Act): void {
  program
    .command('order-run', { hidden: true })
    .argument('<id>', 'of an order that was accepted')
    .description('run an order: its commands, its wipe')
    .action((id: string) =>
      act(async (session) => (await import('./orders/command-order-run.ts')).commandOrderRun(session, id)),
    );
}

function addOrders(program: Command, act: Act): void {
  program
    .command('apply')
    .description('check the orders that were fetched, by the rules in trust.d, and carry out those that count')
    .addHelpText('after', `${APPLY_HELP}\n${examples('apply', 'apply --json')}`)
    .action(() => act(async (session) => (await import('./command-apply.ts')).commandApply(session)));
  program
    .command('receipts')
    .description('say what was done with orders on this machine: who ordered what, when, why, and what became of it')
    .option('-n, --number <count>', 'the last so many (default: 20)')
    .option('--verify', 'check that each receipt follows from the one before it')
    .addHelpText('after', examples('receipts', 'receipts -n 100', 'receipts --verify --json'))
    .action((options: { number?: string; verify?: true }) =>
      act(async (session) => (await import('./command-receipts.ts')).commandReceipts(session, options)),
    );
  program
    .command('trust')
    .description('the rules for orders')
    .addHelpText('after', examples('trust show'))
    .command('show')
    .description('explain who may order what on this machine')
    .addHelpText('after', examples('trust show', 'trust show --json'))
    .action(() => act(async (session) => (await import('./command-trust-show.ts')).commandTrustShow(session)));
}

function addWipePlan(program: Command, act: Act): void {
  program
    .command('wipe-plan')
    .addArgument(new Argument('<method>', 'how').choices(WIPE_METHODS))
    .description('say what a wipe would do on this machine, and what it would not reach; nothing is changed')
    .addHelpText('after', examples('wipe-plan crypto-erase', 'wipe-plan homes --json'))
    .action((method: string) =>
      act(async (session) => (await import('./command-wipe-plan.ts')).commandWipePlan(session, method)),
    );
}

const APPLY_HELP = `
Orders come with submit, and lie in inbox/ until this command, as root, has checked and taken them. Every refusal is kept, too:
penguindome-agent receipts. Who may order what here: penguindome-agent trust show.`;

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  penguindome-agent ${line}`).join('\n')}`;
}

function addLooking(program: Command, act: Act): void {
  program
    .command('status')
    .description('say who this host is, what was done when, what waits, what is wrong and what to do')
    .addHelpText('after', examples('status', 'status --json'))
    .action(() => act(async (session) => (await import('./command-status.ts')).commandStatus(session)));
  const collectors = program
    .command('collectors')
    .description('what looks at this machine')
    .addHelpText('after', examples('collectors list', 'collectors run firewall'));
  collectors
    .command('list')
    .description('list built-in collectors and plugins')
    .addHelpText('after', examples('collectors list', 'collectors list --json'))
    .action(() => act(async (session) => (await import('./command-collectors.ts')).commandList(session)));
  collectors
    .command('run')
    .argument('<name>', 'as collectors list shows it')
    .description('run one and print what it says; nothing is kept')
    .addHelpText('after', examples('collectors run firewall'))
    .action((name: string) =>
      act(async (session) => (await import('./command-collectors.ts')).commandRunOne(session, name)),
    );
}
