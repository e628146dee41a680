# The controller's life: every state once, in order.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registered owner=5 -> registered
  open-link
  = owner 5
link-up -> waiting
  open-channel
  tell-host
owner-authenticated count=1 -> paired
  tell-host
# Nothing is for the owner yet but to wait.
ssh-asked -> refused
terminal-asked -> refused
unlock-asked drive=0 -> refused
drives-told drives=2 -> unlocking
  tell-host
  check-drives
  = drive.0 attached
unlock-asked drive=1 -> unlocking
  unlock 1
  = drive.1 unlocking
unlock-asked drive=0 -> unlocking
  unlock
unlock-asked drive=2 -> refused
drive-mounted drive=0 -> unlocking
  tell-host
users-applied -> refused
drive-mounted drive=1 -> unlocking
  tell-host
  apply-users
terminal-asked -> refused
users-applied -> ready
  tell-host
  wipe-keys
  open-gate
ssh-asked -> ready
  authorize-ssh
terminal-asked -> ready
  open-terminal
users-asked -> ready
  apply-users
users-applied -> ready
  tell-host
shutdown-asked -> ending
  close-gate
  wipe-keys
  close-channels
  exit
  = exit shutdown
