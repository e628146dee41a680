# The disk takes no entry of the audit.
seed 7
calm
lie unaudited
vm at-ms=1000 owner=0 writes=0 applications=1
breaks audited
