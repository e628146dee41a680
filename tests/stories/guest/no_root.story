# What cannot be helped ends integration in any state.
begin -> starting
  make-key
port-bound -> refused
fatal code=NO_ROOT detail="uid 1000" -> ending
  close-channels
  report-failure
  exit
  = code NO_ROOT
