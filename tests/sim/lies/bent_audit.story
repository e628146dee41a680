# The disk changes a byte of an audit entry.
seed 7
calm
lie bent-audit
vm at-ms=1000 owner=0 writes=0 applications=1
breaks audit
