# A VM without drives: the users are made at once.
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
drives-told drives=0 -> unlocking
  tell-host
  check-drives
  apply-users
users-applied -> ready
  tell-host
  wipe-keys
  open-gate
