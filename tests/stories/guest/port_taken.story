# Port 22 is another's: integration is abandoned, and the host is told why by the console.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-taken code=PORT_22_TAKEN detail="sshd pid 412" -> ending
  close-channels
  report-failure
  exit
  = exit failed
  = code PORT_22_TAKEN
  = detail sshd pid 412
# It ends, whatever comes.
shutdown-asked -> refused
registered owner=1 -> refused
