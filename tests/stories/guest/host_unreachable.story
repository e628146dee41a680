# The host is tried a few times before the guest gives up on it; once it was reached, it is tried for ever.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
host-unreachable code=HOST_UNREACHABLE -> port-bound
host-unreachable code=HOST_UNREACHABLE -> port-bound
host-unreachable code=HOST_UNREACHABLE -> port-bound
  = tries 3
registered owner=5 -> registered
  open-link
  = tries 0
link-up -> waiting
  open-channel
  tell-host
owner-authenticated count=1 -> paired
  tell-host
link-down -> paired
  open-link
link-down -> refused
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
host-unreachable code=HOST_UNREACHABLE -> paired
  = code none
link-up -> paired
  tell-host
  = tries 0
