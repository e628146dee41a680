# A wrong key is that drive's failure: the other mounts, and the right key later opens it.
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
owner-authenticated count=1 -> paired
  tell-host
drives-told drives=2 -> unlocking
  tell-host
  check-drives
unlock-asked drive=0 -> unlocking
  unlock
unlock-asked drive=1 -> unlocking
  unlock 1
drive-failed drive=0 code=DRIVE_KEY_WRONG -> unlocking
  tell-host
  = drive.0 failed
drive-mounted drive=1 -> unlocking
  tell-host
users-asked -> refused
unlock-asked drive=0 -> unlocking
  unlock
  = drive.0 unlocking
# Asked once more for one that is mounted: it stays mounted and is answered.
unlock-asked drive=1 -> unlocking
  unlock 1
  = drive.1 mounted
drive-mounted drive=0 -> unlocking
  tell-host
  apply-users
users-failed code=USERS_MALFORMED detail="users[0].name: missing" -> unlocking
  tell-host
  = code USERS_MALFORMED
users-asked -> unlocking
  apply-users
users-applied -> ready
  tell-host
  wipe-keys
  open-gate
  = code none
