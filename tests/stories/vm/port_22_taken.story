# The guest says on its console why it cannot integrate: at once, not at the deadline.
given assigned
begin -> requested
  ensure-volume
# No domain was started, so no console can have spoken.
guest-failed code=PORT_22_TAKEN -> refused
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
guest-failed code=PORT_22_TAKEN detail="sshd pid 412" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = code PORT_22_TAKEN
  = detail sshd pid 412
