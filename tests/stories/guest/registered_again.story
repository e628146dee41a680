# The host's store was put back from a copy made before the registration: the VM registers again and goes on where it was.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registered owner=5 -> registered
  open-link
# Known already before the link was ever open.
registration-unknown -> port-bound
  register
registered owner=5 -> registered
  open-link
link-up -> waiting
  open-channel
  tell-host
# A link that is open is known.
registration-unknown -> refused
registered owner=5 -> refused
registration-refused code=PROOF_WRONG -> refused
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
link-down -> ready
  open-link
registration-unknown -> ready
  register
# Away, or an edge that lies: nothing that is in use is given up.
host-unreachable code=HOST_UNREACHABLE -> ready
registration-refused code=PROOF_WRONG -> ready
  open-link
  = code none
registration-unknown -> ready
  register
registered owner=6 -> refused
registered owner=5 -> ready
  open-link
link-up -> ready
  tell-host
  = owner 5
