#!/usr/bin/env python3
"""Says who shares the desktop over the network: {"users": [{"user", "shared": true | false | "unknown"}], "since": TIME}

Nobody may be logged in just now, or logind may not say: then what was seen last is told.
Settings (agent.yml), where others than GNOME's own count:
  plugins: {settings: {remote_desktop: {schema: org.gnome.desktop.remote-desktop.rdp, name: enable}}}
"""

import json
import os
import subprocess
import sys


def tool(*arguments, text=""):
    """Runs the agent's tool with the text on its standard input. @returns its output, None where it failed or there is nothing"""
    command = [os.environ["PENGUINDOME_TOOL"], *arguments]
    ran = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True)
    return ran.stdout if ran.returncode == 0 else None


def recalled():
    kept = tool("cache", "get", "users")
    return None if kept is None else json.loads(kept)


def is_shared(user, schema, name):
    said = tool("user-run", user, "--", "gsettings", "get", schema, name)
    return {"true\n": True, "false\n": False}.get(said, "unknown")


def main():
    schema = (tool("setting", ".schema") or "org.gnome.desktop.remote-desktop.rdp").strip()
    name = (tool("setting", ".name") or "enable").strip()
    before = recalled()
    logged_in = tool("users", "--graphical")
    if logged_in:
        # Sorted, and with the time when it became so, not that of each look: else every report would be another one.
        users = [{"user": user, "shared": is_shared(user, schema, name)} for user in sorted(logged_in.split())]
        if before is None or before["value"] != users:
            tool("cache", "put", "users", text=json.dumps(users))
            before = recalled()
    if before is None:
        tool("log", "info", "nobody was logged in yet")
        json.dump("unknown", sys.stdout)
    else:
        json.dump({"users": before["value"], "since": before["at"]}, sys.stdout)


main()
