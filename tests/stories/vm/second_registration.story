# The boot secret speaks for one request. The same again is a restarted controller; another is refused in every state.
given assigned drives=1
begin -> requested
  ensure-volume
registered request=1 -> refused
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
registered request=1 -> refused
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
# Before it has registered, nothing is the guest's own word.
link-up -> refused
guest-state state="ready" -> refused
paired count=1 -> refused
registered request=1 -> registered
  ensure-console
  ensure-assigned
registered request=2 -> refused
registered request=1 -> registered
  ensure-console
  ensure-assigned
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
registered request=2 -> refused
registered request=1 -> paired
  ensure-console
  ensure-drives-attached
