# The link cannot be opened: told with its own code after the last try.
begin -> starting
  make-key
key-made -> keyed
  bind-port
port-bound -> port-bound
  register
registered owner=5 -> registered
  open-link
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED -> registered
host-unreachable code=WEBSOCKET_FAILED detail="status 502" -> ending
  close-channels
  report-failure
  exit
  = code WEBSOCKET_FAILED
