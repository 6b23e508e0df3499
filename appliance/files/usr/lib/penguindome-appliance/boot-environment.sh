# Sourced. What the boot loader remembers: slot (the system that is good), trying (one to be started once), machine_id.

running_slot() { sed -n 's/.*root=LABEL=penguindome-\([ab]\)\b.*/\1/p' /proc/cmdline; }

other_slot() { if [ "$(running_slot)" = a ]; then echo b; else echo a; fi; }

# remembered NAME
remembered() {
  mountpoint -q /boot/efi || mount /boot/efi
  sed -n "s/^$1=//p" /boot/efi/EFI/debian/grubenv
}

# remember NAME=VALUE...: replaces the loader's 1024 bytes in place, since it can neither make nor move a file
remember() {
  mountpoint -q /boot/efi || mount /boot/efi
  lines=$(sed -e '/^#/d' /boot/efi/EFI/debian/grubenv) || return 1
  for pair; do lines=$(printf '%s\n' "$lines" | sed -e "/^${pair%%=*}=/d" -e '/^$/d'; printf '%s\n' "$pair"); done
  text=$(printf '# GRUB Environment Block\n%s\n.' "$lines")
  text=${text%.}
  mount -o remount,rw /boot/efi || return 1
  { printf '%s' "$text"; head -c $((1024 - ${#text})) /dev/zero | tr '\0' '#'; } |
    dd of=/boot/efi/EFI/debian/grubenv bs=1024 iflag=fullblock conv=notrunc,fsync status=none
  mount -o remount,ro /boot/efi
}
