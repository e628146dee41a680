# Registered as nobody's: no owner is admitted until a checked binding names one, and then only that one.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registered -> registered
  open-link
link-up -> waiting
  open-channel
  tell-host
owner-authenticated count=1 -> refused
assigned owner=5 -> waiting
  = owner 5
assigned owner=6 -> refused
assigned owner=5 -> waiting
owner-authenticated count=1 -> paired
  tell-host
channel-closed count=0 -> waiting
  tell-host
  open-channel
