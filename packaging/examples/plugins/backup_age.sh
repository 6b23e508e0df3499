#!/bin/sh
# Says whether this machine was backed up lately: {"status": "fresh" | "old" | "never" | "unknown", "since": DATE}
# Settings (agent.yml):
#   plugins: {local: true, settings: {backup_age: {stamp: /var/backups/last-success, max_age_days: 7}}}
set -eu
tool=$PENGUINDOME_TOOL

# A missing setting is status 1, and prints nothing.
stamp=$("$tool" setting .stamp) || {
  echo '"unknown"'
  exit 0
}
max_age_days=$("$tool" setting .max_age_days) || max_age_days=7

if [ ! -e "$stamp" ]; then
  # Once there was a backup, a stamp that is gone is worth a line in the journal; the state directory remembers.
  [ ! -e "$PENGUINDOME_STATE_DIRECTORY/seen" ] || "$tool" log warning "$stamp is gone"
  echo '{"status": "never"}'
  exit 0
fi
: >"$PENGUINDOME_STATE_DIRECTORY/seen"

# The day of the backup, not its age: what grows by itself would be another report each day.
since=$(date -u -r "$stamp" +%Y-%m-%d)
if [ -n "$(find "$stamp" -mtime "-$max_age_days")" ]; then status=fresh; else status=old; fi
printf '{"status": "%s", "since": "%s"}\n' "$status" "$since"
