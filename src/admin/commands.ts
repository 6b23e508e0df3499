import { Command, Option } from 'commander';
import { backup } from './backup.ts';
import { checksExplain } from './checks-explain.ts';
import { checksList } from './checks-list.ts';
import { checksShow } from './checks-show.ts';
import { checksTest } from './checks-test.ts';
import { clientSettingsList } from './client-settings-list.ts';
import { clientSettingsSend } from './client-settings-send.ts';
import { clientSettingsSet } from './client-settings-set.ts';
import { clientSettingsUnset } from './client-settings-unset.ts';
import { command } from './command.ts';
import { completion } from './completion.ts';
import { completionNames } from './completion-names.ts';
import type { AdminContext } from './context.ts';
import { deliveryList } from './delivery-list.ts';
import { deliveryRetry } from './delivery-retry.ts';
import { deliveryTest } from './delivery-test.ts';
import { enrollmentApprove } from './enrollment-approve.ts';
import { enrollmentList } from './enrollment-list.ts';
import { enrollmentReplace } from './enrollment-replace.ts';
import { enrollmentRevoke } from './enrollment-revoke.ts';
import { enrollmentToken } from './enrollment-token.ts';
import { groupsAdd } from './groups-add.ts';
import { groupsList } from './groups-list.ts';
import { groupsRemove } from './groups-remove.ts';
import { hostsForget } from './hosts-forget.ts';
import { hostsHistory } from './hosts-history.ts';
import { hostsList } from './hosts-list.ts';
import { hostsLost } from './hosts-lost.ts';
import { hostsParametersList } from './hosts-parameters-list.ts';
import { hostsParametersSet } from './hosts-parameters-set.ts';
import { hostsParametersUnset } from './hosts-parameters-unset.ts';
import { hostsShow } from './hosts-show.ts';
import { issuesAudit } from './issues-audit.ts';
import { issuesClose } from './issues-close.ts';
import { issuesList } from './issues-list.ts';
import { issuesOpen } from './issues-open.ts';
import { issuesSnooze } from './issues-snooze.ts';
import { issuesSuspend } from './issues-suspend.ts';
import { issuesUnsnooze } from './issues-unsnooze.ts';
import { issuesUnsuspend } from './issues-unsuspend.ts';
import { keysList } from './keys-list.ts';
import { keysRevoke } from './keys-revoke.ts';
import { keysRotate } from './keys-rotate.ts';
import { logList } from './log-list.ts';
import { logVerify } from './log-verify.ts';
import { migrate } from './migrate.ts';
import { ordersApprove } from './orders-approve.ts';
import { ordersCancel } from './orders-cancel.ts';
import { ordersList } from './orders-list.ts';
import { ordersShow } from './orders-show.ts';
import { ordersVerify } from './orders-verify.ts';
import { passwordsList } from './passwords-list.ts';
import { passwordsRemove } from './passwords-remove.ts';
import { passwordsSet } from './passwords-set.ts';
import { passwordsUpgrade } from './passwords-upgrade.ts';
import { patch } from './patch.ts';
import { portsAdd } from './ports-add.ts';
import { portsCertificate } from './ports-certificate.ts';
import { portsConfigure } from './ports-configure.ts';
import { portsDeprecate } from './ports-deprecate.ts';
import { portsList } from './ports-list.ts';
import { portsRemove } from './ports-remove.ts';
import { portsRenew } from './ports-renew.ts';
import { releaseBootstrap } from './release-bootstrap.ts';
import { releaseList } from './release-list.ts';
import { releasePublish } from './release-publish.ts';
import { releaseShow } from './release-show.ts';
import { restore } from './restore.ts';
import { settingsGet } from './settings-get.ts';
import { settingsSet } from './settings-set.ts';
import { setup } from './setup.ts';
import { sitePackage } from './site-package.ts';
import { storeCopy } from './store-copy.ts';
import { unlock } from './unlock.ts';
import { wipe } from './wipe.ts';

export const DEFAULT_SETTINGS = '/etc/penguindome/server.yml';

/** How the tree speaks; what commander would take from the process. */
export interface Speaker {
  version: string;
  writeOut(text: string): void;
  writeError(text: string): void;
}

/** The whole of `penguindome`, as a tree. */
export function commands(context: AdminContext, speaker: Speaker): Command {
  const program = new Command('penguindome')
    .description('sets up and runs a PenguinDome server: machines, what they report, and what is wrong with them')
    .version(speaker.version, '-V, --version', 'print the version')
    .addOption(
      new Option('--config <file>', `settings file of the server (${DEFAULT_SETTINGS})`).env('PENGUINDOME_CONFIG'),
    )
    .option('--json', 'print one JSON value instead of text')
    .addHelpText('after', EXAMPLES);
  const groups: [name: string, description: string, commands: ((context: AdminContext) => Command)[]][] = [
    ['settings', 'show and change settings', [settingsGet, settingsSet]],
    [
      'ports',
      'where the server listens, and the certificates that it shows',
      [portsList, portsAdd, portsConfigure, portsCertificate, portsRenew, portsDeprecate, portsRemove],
    ],
    [
      'client-settings',
      'what is wanted of the settings of agents',
      [clientSettingsList, clientSettingsSet, clientSettingsUnset, clientSettingsSend],
    ],
    [
      'enrollment',
      'let machines in',
      [enrollmentToken, enrollmentList, enrollmentApprove, enrollmentReplace, enrollmentRevoke],
    ],
    [
      'hosts',
      'the machines and what they reported',
      [hostsList, hostsShow, hostsHistory, hostsParameters, hostsLost, hostsForget],
    ],
    [
      'checks',
      'what is looked for, and how an answer comes about',
      [checksList, checksShow, checksTest, checksExplain],
    ],
    [
      'issues',
      'what is wrong, and since when',
      [
        ...[issuesList, issuesAudit, issuesSnooze, issuesUnsnooze],
        ...[issuesSuspend, issuesUnsuspend, issuesOpen, issuesClose],
      ],
    ],
    [
      'orders',
      'what was ordered of hosts, and what became of it',
      [ordersList, ordersShow, ordersCancel, ordersApprove, ordersVerify],
    ],
    [
      'release',
      'the plugins, settings and commands of every host; the agent for machines without a package manager',
      [releasePublish, releaseList, releaseShow, releaseBootstrap],
    ],
    ['delivery', 'where alerts go, and what is still on its way', [deliveryList, deliveryRetry, deliveryTest]],
    ['keys', 'what agents trust this server by', [keysList, keysRotate, keysRevoke]],
    ['passwords', 'who may log in, and by what', [passwordsList, passwordsSet, passwordsRemove, passwordsUpgrade]],
    ['groups', 'users that may use the same', [groupsList, groupsAdd, groupsRemove]],
    ['store', 'where what hosts reported is kept', [storeCopy]],
    ['log', 'what operators did, and whether anybody changed that', [logList, logVerify]],
  ];
  program.addCommand(setup(context));
  for (const [name, description, members] of groups) {
    program.addCommand(
      group(
        name,
        description,
        members.map((make) => make(context)),
      ),
    );
  }
  for (const make of [command, patch, wipe, unlock]) program.addCommand(make(context));
  program.addCommand(sitePackage(context));
  program.addCommand(backup(context));
  program.addCommand(restore(context));
  program.addCommand(migrate(context));
  program.addCommand(completion(context, () => program));
  program.addCommand(completionNames(context), { hidden: true });
  return settle(program, speaker);
}

const EXAMPLES = `
--config and --json go before the command or after it.
What changes anything is written to the operator log (penguindome log list) before it is done; where that cannot be written, as on a
full disk, nothing is done.
Exit status: 0 done, 1 not done, 2 wrong usage, 3 not set up, 70 a fault of the program, 75 try again later, 130 interrupted.

Examples:
  penguindome setup
  penguindome enrollment token
  penguindome hosts list
  penguindome command 'df -h /' --host lap-17 --wait
  penguindome issues audit --json
  penguindome --config /srv/penguindome/server.yml settings get`;

function hostsParameters(context: AdminContext): Command {
  const members = [hostsParametersList, hostsParametersSet, hostsParametersUnset].map((make) => make(context));
  return group('parameters', 'the user of a host, and the other hosts of that user', members, 'hosts ');
}

function group(name: string, description: string, members: Command[], above = ''): Command {
  const command = new Command(name).description(description);
  for (const member of members) command.addCommand(member);
  const examples = members.map((member) => `  penguindome ${above}${name} ${member.name()} --help`);
  return command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
}

/** What holds for every command of the tree: commander does not hand it down to commands that were made elsewhere. */
function settle(command: Command, speaker: Speaker): Command {
  command.exitOverride().configureHelp({ showGlobalOptions: true, sortSubcommands: false });
  command.configureOutput({
    writeOut: speaker.writeOut,
    writeErr: speaker.writeError,
    outputError: (text, write) => write(text.replace(/^error: /, 'penguindome: cannot go on: ')),
  });
  for (const member of command.commands) settle(member, speaker);
  return command;
}
