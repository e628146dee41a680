# A domain that is to end does not.
seed 7
calm
lie deaf
vm at-ms=1000 silent=1
at 40000 destroyed vm=0 force=1
breaks known-domain
