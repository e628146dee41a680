# The host refuses for good: there is nothing to try again.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registration-refused code=ALREADY_REGISTERED -> ending
  close-channels
  report-failure
  exit
  = exit failed
