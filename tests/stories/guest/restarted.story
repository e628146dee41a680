# A controller that starts in a VM that was ready: the host tells its drives, they are found mounted, no key is needed.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registered owner=5 -> registered
  open-link
link-up -> waiting
  open-channel
  tell-host
drives-told drives=2 -> unlocking
  tell-host
  check-drives
drive-mounted drive=0 -> unlocking
  tell-host
# Without an owner no key can have come.
unlock-asked drive=1 -> refused
users-asked -> refused
# The host tells the list again when its link changes; what is known of the drives stays.
drives-told drives=2 -> unlocking
  tell-host
  check-drives
  = drive.0 mounted
  = drive.1 attached
drive-mounted drive=1 -> unlocking
  tell-host
  apply-users
users-applied -> ready
  tell-host
  wipe-keys
  open-gate
terminal-asked -> refused
owner-authenticated count=1 -> ready
  tell-host
terminal-asked -> ready
  open-terminal
channel-closed count=0 -> ready
  tell-host
ssh-asked -> refused
drives-told drives=2 -> ready
update-available -> ending
  close-gate
  wipe-keys
  close-channels
  exit
  = exit update
